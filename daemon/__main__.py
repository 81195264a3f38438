"""The command line: ``parley VERB``. Its exit codes are those of :class:`daemon.errors.ExitCode`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from daemon.commands import (
    app,
    chat,
    check,
    click_to_call,
    config_import,
    contacts,
    db,
    demo,
    directory,
    diversion,
    inbox,
    run,
    survey,
    token,
    user,
)
from daemon.commands.parser import add_config_option, verbs_of
from daemon.errors import ConfigError, ExitCode, OperatorError
from daemon.version import version

_EPILOG = """\
exit codes:
  0   done
  1   it did not work; the reason is on standard error
  2   the command line is wrong
  78  the configuration is wrong; starting again cannot help
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.command(arguments))
    except ConfigError as error:
        print(error, file=sys.stderr)
        for mistake in error.mistakes:
            print(f"  {mistake}", file=sys.stderr)
        return ExitCode.CONFIG
    except OperatorError as error:
        print(f"parley: {error}", file=sys.stderr)
        return ExitCode.FAILURE
    except KeyboardInterrupt:
        return ExitCode.FAILURE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="parley",
        description="Follows the calls of a telephone switch and shows their dialogue live in a browser.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"parley {version()}")
    add_config_option(parser, default=True)
    verbs = verbs_of(parser)
    for verb in (
        demo,
        run,
        check,
        app,
        chat,
        db,
        user,
        token,
        diversion,
        click_to_call,
        inbox,
        contacts,
        directory,
        survey,
        config_import,
    ):
        verb.register(verbs)
    return parser


if __name__ == "__main__":
    sys.exit(main())
