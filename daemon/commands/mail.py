"""``parley mail``: how mail is sent, as the running service knows it."""

from __future__ import annotations

import argparse
from typing import Any, Final

from daemon.commands.configured import read_password
from daemon.commands.parser import Verbs, add_verbs
from daemon.commands.running import RunningParley, add_socket_option, with_running
from daemon.errors import ExitCode, OperatorError
from daemon.mail.sealing import new_key

_PATH: Final = "/mail-settings"
_PORTS: Final = {"none": 25, "starttls": 587, "implicit": 465}


def register(verbs: Verbs) -> None:
    """Add ``mail set|show|test|remove|key``."""
    below = add_verbs(verbs, "mail", "how mail is sent")
    change = below("set", "say how mail is sent", description=_SET)
    change.add_argument("--host", metavar="HOST", help="the mail server")
    change.add_argument("--port", metavar="PORT", type=int, help="its port (default: as usual with that encryption)")
    change.add_argument("--tls", choices=list(_PORTS), help="how it encrypts (default: starttls)")
    change.add_argument("--sender", metavar="ADDRESS", help="whom mail is from; also the name that a password is for")
    change.add_argument("--recipient", metavar="ADDRESS", help='who gets what has no other recipient, "" for nobody')
    password = change.add_mutually_exclusive_group()
    password.add_argument("--password", action="store_true", help="ask for a password on the terminal")
    password.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    password.add_argument("--no-password", action="store_true", help="the server asks for none")
    add_socket_option(change)
    change.set_defaults(command=_set)
    show = below("show", "say how mail is sent now", description="Say how mail is sent now, without the password.")
    add_socket_option(show)
    show.set_defaults(command=_show)
    test = below("test", "send a test letter", description=_TEST)
    test.add_argument("address", metavar="ADDRESS", nargs="?", default="", help="to whom (default: the recipient)")
    add_socket_option(test)
    test.set_defaults(command=_test)
    remove = below("remove", "send mail as [mail] says again, or not at all")
    add_socket_option(remove)
    remove.set_defaults(command=_remove)
    below("key", "print a new key to encrypt the password with", configured=False, description=_KEY).set_defaults(
        command=_key
    )


_SET = (
    "Say how mail is sent. What is left out stays as it is, the password too, as long as sender, server, port and "
    "encryption are the same. The password is stored encrypted with the secret mail-password-key; run this once more "
    "without options after a change of that key."
)
_TEST = "Send a test letter at once, and say in the mail server's own words where it does not go."
_KEY = (
    "Print a new key for the secret mail-password-key. To change a key for another, keep the old one as "
    "mail-password-key-2 until parley mail set was run."
)


def _set(arguments: argparse.Namespace) -> ExitCode:
    if arguments.no_password:
        password: str | None = ""
    elif arguments.password or arguments.password_stdin:
        password = read_password(arguments)
    else:
        password = None

    async def change(parley: RunningParley) -> Any:
        before = (await parley.ask("GET", _PATH)).body["account"]
        return (await parley.ask("PUT", _PATH, json=_wish(arguments, before or {}, password))).body

    _print(with_running(arguments, change))
    return ExitCode.OK


def _wish(arguments: argparse.Namespace, before: dict[str, Any], password: str | None) -> dict[str, Any]:
    wish = {name: getattr(arguments, name) for name in ("host", "port", "tls", "sender", "recipient")}
    wish = {name: before.get(name) if value is None else value for name, value in wish.items()}
    for name in ("host", "sender"):
        if not wish[name]:
            raise OperatorError(f"nothing is known of the {name} yet: give --{name}")
    wish["tls"] = wish["tls"] or "starttls"
    if arguments.port is None and (arguments.tls or wish["port"] is None):
        wish["port"] = _PORTS[wish["tls"]]
    wish["recipient"] = wish["recipient"] or ""
    return wish if password is None else wish | {"password": password}


def _show(arguments: argparse.Namespace) -> ExitCode:
    async def show(parley: RunningParley) -> Any:
        return (await parley.ask("GET", _PATH)).body

    _print(with_running(arguments, show))
    return ExitCode.OK


def _test(arguments: argparse.Namespace) -> ExitCode:
    async def test(parley: RunningParley) -> Any:
        return (await parley.ask("POST", f"{_PATH}/test", json={"to": arguments.address})).body

    print(f"the mail server has taken a letter to {with_running(arguments, test)['to']}")
    return ExitCode.OK


def _remove(arguments: argparse.Namespace) -> ExitCode:
    async def remove(parley: RunningParley) -> Any:
        await parley.ask("DELETE", _PATH)
        return (await parley.ask("GET", _PATH)).body

    _print(with_running(arguments, remove))
    return ExitCode.OK


def _key(_: argparse.Namespace) -> ExitCode:
    print(new_key())
    return ExitCode.OK


def _print(settings: Any) -> None:
    account = settings["account"]
    if account is None:
        print("nobody has said how mail is sent")
        return
    print(f"from {account['sender']} by {account['host']}:{account['port']}, encryption: {account['tls']}")
    print(f"password: {'there is one' if settings['has_password'] else 'none'}")
    print(f"recipient of what has no other: {account['recipient'] or 'nobody'}")
    print(f"said by: {'an admin' if settings['is_stored'] else '[mail] of the configuration'}")
    if settings["problem"]:
        print(f"problem: {settings['problem']}")
