"""``originate``: placing a call by command."""

from __future__ import annotations

import asyncio

from daemon.demo.channel import Channel
from daemon.demo.exchange import Destination, Exchange, number_of

USAGE = (
    "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] [<cid_name>] [<cid_num>] "
    "[<timeout_sec>]\n"
)
DEFAULT_TIMEOUT = 60.0


async def originate(exchange: Exchange, args: str) -> str:
    """Place a call and, when it answers, run ``&app(args)`` or the dialplan's extension; blocks until then.

    Variables in braces: ``origination_uuid``, ``origination_caller_id_name``, ``origination_caller_id_number``,
    ``originate_timeout``, ``call_timeout`` and ``execute_on_answer=amd`` have an effect here, all are set on the leg.
    """
    given, url, rest = _split(args)
    if not url or not rest:
        return USAGE
    kind = url.split("/")[0]
    if kind not in ("sofia", "user", "loopback", "verto") or "/" not in url:
        return "-ERR CHAN_NOT_IMPLEMENTED\n"
    uuid = given.get("origination_uuid", "")
    if uuid and exchange.channel(uuid) is not None:
        return "-ERR DESTINATION_OUT_OF_ORDER\n"
    channel = exchange.place(
        number_of(url),
        caller=given.get("origination_caller_id_number", "0000000000"),
        name=given.get("origination_caller_id_name", ""),
        uuid=uuid,
        variables=given,
    )
    timeout = float(given.get("originate_timeout") or given.get("call_timeout") or _timeout(rest) or DEFAULT_TIMEOUT)
    try:
        async with asyncio.timeout(timeout / exchange.core.speed):
            answered = await exchange.ring_out(channel)
    except TimeoutError:
        channel.thread.hang_up("NO_ANSWER")
        answered = False
    if not answered:
        return f"-ERR {channel.hangup_cause or 'ORIGINATOR_CANCEL'}\n"
    channel.enter("CS_EXECUTE")
    if given.get("execute_on_answer") == "amd":
        detect(exchange, channel)
    target = rest.split(" ")[0] if not rest.startswith("&") else rest[: rest.rfind(")") + 1] or rest
    if target.startswith("&"):
        app, _, data = target[1:].removesuffix(")").partition("(")
        exchange.core.spawn(exchange.run(channel, [(app, data)]))
    else:
        exchange.transfer(channel, target)
    return f"+OK {channel.uuid}\n"


def detect(exchange: Exchange, channel: Channel) -> None:
    """Run ``amd``: the variable ``amd_result`` says who answered."""
    destination = exchange.destinations.get(channel.first_destination, Destination())
    execution = channel.thread.at_once("amd")
    channel.variables["amd_result"] = "MACHINE" if destination.machine else "HUMAN"
    channel.thread.completed(execution)


def _split(args: str) -> tuple[dict[str, str], str, str]:
    """Variables in braces, the call url, and what follows it."""
    given: dict[str, str] = {}
    while args.startswith(("{", "[", "<")):
        closing = {"{": "}", "[": "]", "<": ">"}[args[0]]
        inside, _, args = args[1:].partition(closing)
        for item in _items(inside):
            name, _, value = item.partition("=")
            given[name.strip()] = value.strip("'")
    url, _, rest = args.strip().partition(" ")
    return given, url, rest.strip()


def _items(text: str) -> list[str]:
    """Split at commas outside single quotes."""
    items, quoted = [""], False
    for char in text:
        quoted ^= char == "'"
        if char == "," and not quoted:
            items.append("")
        else:
            items[-1] += char
    return items


def _timeout(rest: str) -> str:
    words = rest.split()
    return words[5] if len(words) > 5 and words[5].isdecimal() else ""
