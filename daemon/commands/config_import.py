"""``parley config``: making a configuration."""

from __future__ import annotations

import argparse
from pathlib import Path

from daemon.commands.parser import Verbs, add_verbs
from daemon.config_file import read
from daemon.env_import import import_env, write
from daemon.errors import ConfigError, ExitCode, OperatorError


def register(verbs: Verbs) -> None:
    """Add ``config import``."""
    below = add_verbs(verbs, "config", "make a configuration")
    verb = below(
        "import",
        "turn a .env file into a configuration and credential files",
        configured=False,
        description="Turn the .env of the webhook services and the chatbot that Parley takes the place of into "
        "parley.toml and a folder of credential files, readable by their owner alone. Nothing is dropped silently: "
        "what is not used yet or not known is listed.",
    )
    verb.add_argument("file", metavar="FILE.env", type=Path)
    verb.add_argument("--out", metavar="DIR", type=Path, default=Path(), help="where to write (default: here)")
    verb.set_defaults(command=_import)


def _import(arguments: argparse.Namespace) -> ExitCode:
    try:
        text = arguments.file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise OperatorError(f"{arguments.file}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise OperatorError(f"{arguments.file}: this is not UTF-8 text") from error
    imported = import_env(text, arguments.file.name)
    for path in write(imported, arguments.out):
        print(f"wrote {path}")
    for remark in imported.remarks:
        print(f"note: {remark}")
    _, mistakes = read(imported.document, None)
    if mistakes:
        raise ConfigError(str(arguments.out / "parley.toml"), mistakes)
    return ExitCode.OK
