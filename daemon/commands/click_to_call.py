"""``parley click-to-call``: call from an extension to a number, and say how it goes."""

from __future__ import annotations

import argparse
import asyncio
import json
import uuid
from datetime import datetime
from typing import Any

from daemon.commands.parser import Verbs
from daemon.commands.running import RunningParley, add_socket_option, with_running
from daemon.errors import ExitCode

_INTERVAL = 0.5
"""Seconds between two looks at a call; every step comes with its time, so none is missed."""

_WORDS = {
    "requested": "asked for",
    "queued": "taken by the PBX",
    "caller_ringing": "the caller's phone rings",
    "forwarded": "the caller is forwarded to",
    "caller_answered": "the caller has answered",
    "callee_ringing": "the other party's phone rings",
    "callee_answered": "the other party has answered",
    "ended": "ended",
    "caller_unreached": "the caller was not reached",
    "callee_unreached": "the other party was not reached",
    "failed": "failed",
    "outcome_unknown": "what became of it is not known",
}


_WORDS_FORWARDED = {
    "caller_ringing": "that phone rings",
    "caller_answered": "that phone has answered",
    "caller_unreached": "that phone was not reached",
}
"""Once the caller is forwarded."""


def register(verbs: Verbs) -> None:
    """Add ``click-to-call``."""
    verb = verbs(
        "click-to-call",
        "call from an extension to a number",
        description="Call from an extension to a number, and say how it goes until it is over. "
        "What is left out is as the configuration has it for the tenant. The exit code is 0 when both have spoken.",
    )
    verb.add_argument("caller", metavar="EXTENSION")
    verb.add_argument("callee", metavar="NUMBER")
    verb.add_argument("--tenant", metavar="ALIAS", help="whose extension it is (default: the one that has it)")
    verb.add_argument("--cos-id", metavar="ID", help="class of service")
    verb.add_argument("--cid-name", metavar="NAME", help="the name that is shown")
    verb.add_argument("--cid-number", metavar="NUMBER", help="the number that is shown")
    verb.add_argument(
        "--variable", metavar="NAME=VALUE", action="append", default=[], type=_variable, help="a channel variable"
    )
    verb.add_argument("--key", metavar="KEY", help="the same key within a day places no second call")
    verb.add_argument("--no-follow", action="store_true", help="do not wait for how it goes")
    verb.add_argument("--json", action="store_true", help="print what REST answers at the end")
    add_socket_option(verb)
    verb.set_defaults(command=_place)


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _place(arguments: argparse.Namespace) -> ExitCode:
    wish = {
        "caller": arguments.caller,
        "callee": arguments.callee,
        "tenant": arguments.tenant,
        "cos_id": arguments.cos_id,
        "cid_name": arguments.cid_name,
        "cid_number": arguments.cid_number,
        "variables": dict(arguments.variable),
    }
    call = with_running(arguments, lambda parley: _follow(parley, wish, arguments))
    if arguments.json:
        print(json.dumps(call, ensure_ascii=False, indent=2))
    steps = {step["step"] for step in call["steps"]}
    over = call["ended_at"] is not None
    return ExitCode.OK if not over or "callee_answered" in steps else ExitCode.FAILURE


async def _follow(parley: RunningParley, wish: dict[str, Any], arguments: argparse.Namespace) -> dict[str, Any]:
    headers = {"Idempotency-Key": arguments.key or uuid.uuid4().hex}
    call: dict[str, Any] = (await parley.ask("POST", "/click-to-call", json=wish, headers=headers)).body
    tell = not arguments.json
    if tell and call["notice"]:
        print(call["notice"])
    told, words = 0, _WORDS
    while True:
        for step in call["steps"][told:] if tell else []:
            print(_line(step, words), flush=True)
            if step["step"] == "forwarded":
                words = _WORDS | _WORDS_FORWARDED
        told = len(call["steps"])
        if arguments.no_follow or call["ended_at"] is not None:
            return call
        await asyncio.sleep(_INTERVAL)
        call = (await parley.ask("GET", f"/click-to-call/{call['click_to_call_id']}")).body


def _line(step: dict[str, Any], words: dict[str, str]) -> str:
    at = datetime.fromtimestamp(step["at"]).astimezone()
    joint = " " if step["step"] == "forwarded" else ": "
    detail = f"{joint}{step['detail']}" if step["detail"] else ""
    return f"{at:%H:%M:%S}  {words.get(step['step'], step['step'])}{detail}"
