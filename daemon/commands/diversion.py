"""``parley diversion``: an extension's call forwarding, as the running service reads and sets it."""

from __future__ import annotations

import argparse
import json
from typing import Any
from urllib.parse import quote

from daemon.commands.parser import Verbs, add_verbs
from daemon.commands.running import Answered, RunningParley, add_socket_option, with_running
from daemon.errors import ExitCode
from protocols.dcmiws.diversions import DiversionKind

_KINDS = [kind.value for kind in DiversionKind]


def register(verbs: Verbs) -> None:
    """Add ``diversion get|set|clear``."""
    below = add_verbs(verbs, "diversion", "call forwarding of an extension")
    get = below("get", "say how an extension is forwarded", description=_GET)
    _add_extension(get, several=True)
    get.add_argument("--server", metavar="NAME", help="only what this server stores")
    get.set_defaults(command=_get)
    change = below("set", "forward an extension", description=_SET)
    _add_extension(change, several=False)
    change.add_argument("destination", metavar="NUMBER", nargs="?", help="where to; without it, what is stored")
    change.add_argument("--off", action="store_true", help="keep the destination and do not forward to it")
    _add_if_match(change)
    change.set_defaults(command=_set)
    clear = below("clear", "take an extension's forwarding away", description=_CLEAR)
    _add_extension(clear, several=True)
    _add_if_match(clear)
    clear.set_defaults(command=_clear)


_GET = "Say how an extension is forwarded, as every server of its tenant stores it."
_SET = (
    "Forward an extension, on every server of its tenant, and say what is really stored then. "
    "What was changed since it was last looked at is not overwritten unseen: this verb looks first."
)
_CLEAR = "Take an extension's forwarding away, of one kind or of all: no destination is stored any more."


def _add_extension(verb: argparse.ArgumentParser, *, several: bool) -> None:
    verb.add_argument("extension", metavar="EXTENSION")
    text = "one of " + ", ".join(_KINDS) + (" (default: all)" if several else "")
    verb.add_argument(
        "kind", metavar="KIND", type=_kind, nargs="?" if several else None, help=text, choices=[*_KINDS, None]
    )
    verb.add_argument("--tenant", metavar="ALIAS", help="whose extension it is (default: the one that has it)")
    verb.add_argument("--json", action="store_true", help="print what REST answers")
    add_socket_option(verb)


def _add_if_match(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--if-match", metavar="VERSION", help="change it only if it still is what get showed")


def _kind(text: str) -> str:
    return text.upper().replace("-", "_")


def _path(arguments: argparse.Namespace) -> str:
    path = f"/diversions/{quote(arguments.extension, safe='')}"
    return path if arguments.kind is None else f"{path}/{arguments.kind}"


def _get(arguments: argparse.Namespace) -> ExitCode:
    query = {"tenant": arguments.tenant, "server": arguments.server}
    answered = with_running(arguments, lambda parley: parley.ask("GET", _path(arguments), query=query))
    return _show(arguments, answered)


def _set(arguments: argparse.Namespace) -> ExitCode:
    wish: dict[str, Any] = {"enabled": not arguments.off}
    if arguments.destination is not None:
        wish["destination"] = arguments.destination
    return _show(arguments, with_running(arguments, lambda parley: _change(parley, "PUT", arguments, wish)))


def _clear(arguments: argparse.Namespace) -> ExitCode:
    return _show(arguments, with_running(arguments, lambda parley: _change(parley, "DELETE", arguments, None)))


async def _change(
    parley: RunningParley, method: str, arguments: argparse.Namespace, wish: dict[str, Any] | None
) -> Answered:
    path, query = _path(arguments), {"tenant": arguments.tenant}
    version = arguments.if_match
    if version is None:
        version = (await parley.ask("GET", path, query=query)).etag
    return await parley.ask(method, path, query=query, headers={"If-Match": version}, json=wish)


def _show(arguments: argparse.Namespace, answered: Answered) -> ExitCode:
    if arguments.json:
        print(json.dumps(answered.body, ensure_ascii=False, indent=2))
        return ExitCode.OK
    body = answered.body
    print(f"extension {body['extension']} of {body['tenant']}, version {body['version']}")
    for diversion in body.get("diversions", [body]):
        print(f"  {diversion['kind']:12} {diversion['summary']}")
        if diversion["agreed"]:
            continue
        print(f"  {'':12} the servers do not agree:")
        for server in diversion["servers"]:
            print(f"  {'':12}   {server['server']}: {_stored(server)}")
    return ExitCode.OK


def _stored(server: dict[str, Any]) -> str:
    if server["error"]:
        return str(server["error"])
    return f"{'enabled' if server['enabled'] else 'disabled'}, {server['destination'] or 'no destination'}"
