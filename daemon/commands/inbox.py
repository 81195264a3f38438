"""``parley inbox``: what providers delivered and what became of it, as the running service knows it."""

from __future__ import annotations

import argparse
import base64
import json
import re
import sys
from datetime import datetime
from typing import Any, Final

from daemon.commands.moments import moment
from daemon.commands.parser import Verbs, add_verbs
from daemon.commands.running import RunningParley, add_socket_option, with_running
from daemon.errors import ExitCode, OperatorError

_STATES: Final = ("pending", "working", "done", "dead", "cancelled")


def register(verbs: Verbs) -> None:
    """Add ``inbox list|show|replay|cancel``."""
    below = add_verbs(verbs, "inbox", "webhooks that were accepted, and what became of them")
    listing = below("list", "list deliveries, newest first", description="List deliveries, newest first.")
    _add_filter(listing)
    listing.add_argument("--limit", metavar="N", type=_count, default=20, help="how many at most (default: 20)")
    _add_common(listing)
    listing.set_defaults(command=_list)
    show = below("show", "show one delivery", description="Show a delivery with headers, attempts and body.")
    show.add_argument("delivery", metavar="ID")
    show.add_argument("--body", action="store_true", help="print the body alone, byte for byte")
    _add_common(show)
    show.set_defaults(command=_show)
    replay = below("replay", "let deliveries be worked on again", description=_REPLAY)
    replay.add_argument("delivery", metavar="ID", nargs="?")
    _add_filter(replay)
    replay.add_argument("--yes", action="store_true", help="do it; without it those that match are only counted")
    replay.add_argument("--per-second", metavar="N", type=float, default=10.0, help="at most so many (default: 10)")
    _add_common(replay)
    replay.set_defaults(command=_replay)
    cancel = below("cancel", "let a delivery not be worked on any more", description="Cancel a delivery.")
    cancel.add_argument("delivery", metavar="ID")
    _add_common(cancel)
    cancel.set_defaults(command=_cancel)


_REPLAY = (
    "Let a delivery that has ended be worked on again, or, without an ID, all that have ended and match: these are "
    "counted first, and worked on again with --yes."
)


def _add_filter(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--source", metavar="NAME")
    verb.add_argument("--event", metavar="EVENT")
    verb.add_argument("--state", choices=_STATES)
    verb.add_argument("--since", metavar="TIME", type=moment, help="30m, 12h, 7d ago, or 2026-01-31T09:00")
    verb.add_argument("--until", metavar="TIME", type=moment)
    verb.add_argument("--text", metavar="TEXT", help="its id or key, whole, or part of its event or error")


def _add_common(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--json", action="store_true", help="print what REST answers")
    add_socket_option(verb)


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 200:
        raise argparse.ArgumentTypeError("give a number from 1 to 200")
    return count


def _filter(arguments: argparse.Namespace) -> dict[str, Any]:
    names = ("source", "event", "state", "since", "until", "text")
    return {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}


def _list(arguments: argparse.Namespace) -> ExitCode:
    async def ask(parley: RunningParley) -> list[dict[str, Any]]:
        """Page by page: one may be empty and not the last."""
        query = {name: str(value) for name, value in _filter(arguments).items()}
        found: list[dict[str, Any]] = []
        while len(found) < arguments.limit:
            query["limit"] = str(arguments.limit - len(found))
            page = (await parley.ask("GET", "/inbox/deliveries", query=query)).body
            found += page["deliveries"]
            if page["before"] is None:
                break
            query["before"] = page["before"]
        return found

    found = with_running(arguments, ask)
    if arguments.json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        for delivery in found:
            print(_line(delivery))
    return ExitCode.OK


def _show(arguments: argparse.Namespace) -> ExitCode:
    whole = with_running(arguments, lambda parley: parley.ask("GET", _path(arguments))).body
    if arguments.body:
        raw = whole["body"].encode() if whole["body_as"] == "text" else base64.b64decode(whole["body"])
        sys.stdout.buffer.write(raw)
    elif arguments.json:
        print(json.dumps(whole, ensure_ascii=False, indent=2))
    else:
        _print_whole(whole)
    return ExitCode.OK


def _replay(arguments: argparse.Namespace) -> ExitCode:
    wanted = _filter(arguments)
    if arguments.delivery is not None:
        if wanted:
            raise OperatorError("give an ID, or what those that are meant have in common, but not both")
        return _act(arguments, "replay")
    if not wanted:
        raise OperatorError("give an ID, or say which: --state dead, --source NAME, --since 2h …")
    wish = wanted | {"dry_run": not arguments.yes, "per_second": arguments.per_second}
    done = with_running(arguments, lambda parley: parley.ask("POST", "/inbox/replays", json=wish)).body
    if arguments.json:
        print(json.dumps(done, indent=2))
    elif arguments.yes:
        print(f"{done['replayed']} are worked on again, {arguments.per_second:g} in a second")
    else:
        least = "at least " if done["at_least"] else ""
        print(f"{least}{done['found']} have ended and match; with --yes they are worked on again")
    return ExitCode.OK


def _cancel(arguments: argparse.Namespace) -> ExitCode:
    return _act(arguments, "cancel")


def _act(arguments: argparse.Namespace, verb: str) -> ExitCode:
    whole = with_running(arguments, lambda parley: parley.ask("POST", f"{_path(arguments)}/{verb}")).body
    print(json.dumps(whole, ensure_ascii=False, indent=2) if arguments.json else _line(whole["delivery"]))
    return ExitCode.OK


def _path(arguments: argparse.Namespace) -> str:
    if not re.fullmatch(r"[0-9A-Za-z-]{1,64}", arguments.delivery):
        raise OperatorError(f"{arguments.delivery!r} is no id of a delivery")
    return f"/inbox/deliveries/{arguments.delivery}"


def _line(delivery: dict[str, Any]) -> str:
    error = f"  {delivery['error']}" if delivery["error"] else ""
    tries = f"{delivery['attempts']}/{delivery['attempts_allowed']}"
    return (
        f"{_time(delivery['received_at'])}  {delivery['delivery_id']}  {delivery['state']:9}  {tries:>5}  "
        f"{delivery['source']}  {delivery['event']}{error}"
    )


def _print_whole(whole: dict[str, Any]) -> None:
    print(_line(whole["delivery"]))
    for name, value in (("provider's id", whole["delivery"]["other_id"]), ("key", whole["delivery"]["key"])):
        if value:
            print(f"{name}: {value}")
    if whole["address"]:
        print(f"from: {whole['address']}")
    for header in whole["headers"]:
        print(f"  {header['name']}: {header['value']}")
    for run in whole["runs"]:
        took = run["finished_at"] - run["started_at"]
        error = f": {run['error']}" if run["error"] else ""
        told = f"attempt {run['attempt']}  {run['handler']}  {run['outcome']} in {took:.3f} s{error}"
        print(f"{_time(run['started_at'])}  {told}")
    if whole["body_as"] == "text":
        print(_pretty(whole["body"]))
    else:
        print(f"({whole['delivery']['size']} bytes that are no text; --body prints them)")


def _pretty(body: str) -> str:
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return body


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M:%S}"
