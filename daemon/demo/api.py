"""The api commands of the simulated switch that concern its channels."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable

from daemon.demo.applications import SOUND_SECONDS
from daemon.demo.channel import Channel
from daemon.demo.channel_list import Row, row_of, shown
from daemon.demo.core_api import core_api
from daemon.demo.event import Format, Headers
from daemon.demo.exchange import Exchange
from daemon.demo.framing import ClientCommand
from daemon.demo.originate import originate
from daemon.demo.speech import BODIES
from daemon.demo.thread import Execution

OK = "+OK\n"
NO_CHANNEL = "-ERR No such channel!\n"

Api = Callable[["Apis", str], "str | Awaitable[str]"]


class Apis:
    """Answers the commands of the event socket from an exchange.

    ``ghosts`` are rows that ``show channels`` lists and nothing else knows. Commands of the names in ``refused`` are
    answered with an error, and those in ``unanswered`` are carried out without a word. ``on_subscribed`` is called when
    a client has subscribed.
    """

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.core = exchange.core
        self.ghosts: list[Row] = []
        self.refused: frozenset[str] = frozenset()
        self.unanswered: frozenset[str] = frozenset()
        self.on_subscribed: Callable[[], None] = lambda: None

    async def api(self, name: str, args: str) -> str:
        """The whole output of one command."""
        api = TABLE.get(name.lower())
        if name.lower() in self.refused:
            return "-ERR Operation failed\n"
        if api is None:
            return await core_api(self.core, name, args)
        output = api(self, args.strip())
        told = await output if inspect.isawaitable(output) else output
        if name.lower() in self.unanswered:
            await asyncio.get_running_loop().create_future()  # until its connection ends
        return told

    def message(self, leg_id: str, command: ClientCommand) -> bool:
        """``sendmsg``: ``execute`` is queued behind what runs, ``hangup`` ends the call. False without that channel."""
        channel = self.exchange.channel(leg_id)
        if channel is None:
            return False
        if command.header("call-command") == "hangup":
            channel.thread.hang_up(command.header("hangup-cause") or "NORMAL_CLEARING")
        elif command.header("call-command") == "execute":
            data = command.header("execute-app-arg") or command.body
            uuid = command.header("Event-UUID")
            loops = command.header("loops")
            told: Headers = [("Command", command.line), *command.headers.items()]
            channel.thread.queue(
                Execution(
                    command.header("execute-app-name"),
                    data,
                    uuid or self.core.new_id(),
                    loops=int(loops) if loops.isdecimal() else 1,
                    command=None if uuid else told,
                )
            )
        return True

    def subscribed(self) -> None:
        """A client has subscribed."""
        self.on_subscribed()

    def channel(self, args: str) -> Channel | None:
        """The channel that the first word names."""
        words = args.split()
        return self.exchange.channel(words[0]) if words else None


def _on_channel(act: Callable[[Apis, Channel, str], str], missing: str = NO_CHANNEL) -> Api:
    """An api whose first word is a channel; the rest goes to ``act``."""

    def run(apis: Apis, args: str) -> str:
        channel = apis.channel(args)
        if channel is None:
            return missing
        return act(apis, channel, args.partition(" ")[2].strip())

    return run


# --- about all channels ---


def show(apis: Apis, args: str) -> str:
    """``show channels`` and ``show calls``: a call is counted by the leg that placed no other."""
    words = args.lower().split()
    if words[:1] == ["calls"]:
        rows = [row_of(channel) for channel in apis.core.channels.values() if not channel.outbound]
    elif words[:1] == ["channels"]:
        rows = [row_of(channel) for channel in apis.core.channels.values()] + apis.ghosts
    else:
        return (
            "-USAGE: codec|endpoint|application|api|dialplan|file|timer|calls [count]|channels [count|like <match>]\n"
        )
    return shown(rows, words[1:])


# --- one channel ---


def uuid_dump(apis: Apis, channel: Channel, rest: str) -> str:
    """``uuid_dump UUID [json|plain]``"""
    form: Format = "json" if rest == "json" else "plain"
    return channel.dump().encoded(form).decode("utf-8", "surrogateescape")


def uuid_kill(apis: Apis, channel: Channel, rest: str) -> str:
    """``uuid_kill UUID [CAUSE]``: at once, whatever the channel is doing."""
    channel.thread.hang_up(rest or "NORMAL_CLEARING")
    return OK


def uuid_answer(apis: Apis, channel: Channel, rest: str) -> str:
    """``uuid_answer UUID``"""
    channel.answer()
    return OK


def uuid_park(apis: Apis, channel: Channel, rest: str) -> str:
    """``uuid_park UUID``: take the leg out of what it is in, and park it."""
    channel.thread.leave()
    apis.exchange.park(channel)
    return OK


def uuid_bridge(apis: Apis, args: str) -> str:
    """``uuid_bridge UUID OTHER``"""
    words = args.split()
    a, b = (apis.exchange.channel(word) for word in (*words, "", "")[:2])
    if a is None or b is None:
        return "-ERR Invalid uuid\n"
    apis.exchange.join(a, b, by_command=True)
    return f"+OK {b.uuid}\n"


def uuid_transfer(apis: Apis, channel: Channel, rest: str) -> str:
    """``uuid_transfer UUID [-bleg|-both] DESTINATION [DIALPLAN] [CONTEXT]``"""
    words = rest.split()
    bleg = words[:1] in (["-bleg"], ["-both"])
    targets = [channel] if words[:1] != ["-bleg"] else []
    if bleg:
        words = words[1:]
        targets += [channel.bridged] if channel.bridged is not None else []
    if not words:
        return "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n"
    for target in targets:
        apis.exchange.transfer(target, words[0])
    return OK


def uuid_broadcast(apis: Apis, channel: Channel, rest: str) -> str:
    """``uuid_broadcast UUID PATH|app::arg [aleg|bleg|both]``"""
    words = rest.split(" ")
    legs = words.pop() if words[-1] in ("aleg", "bleg", "both", "holda", "holdb") else "aleg"
    app, separator, data = " ".join(words).partition("::")
    app, data = (app.split("!")[0], data) if separator else ("playback", app)
    targets = [channel] if legs != "bleg" else []
    if legs in ("bleg", "both") and channel.bridged is not None:
        targets.append(channel.bridged)
    for target in targets:
        command = [*apis.core.headers("COMMAND"), ("call-command", "execute"), ("execute-app-name", app)]
        command += [("execute-app-arg", data), ("event-lock", "true"), ("lead-frames", "5")]
        target.thread.queue(Execution(app, data, apis.core.new_id(), loops=1, command=command))
    return "+OK Message sent\n"


def uuid_break(apis: Apis, channel: Channel, rest: str) -> str:
    """``uuid_break UUID [all]``"""
    if rest == "all":
        channel.thread.clear()
    else:
        channel.thread.stop_current()
    return OK


def uuid_setvar(apis: Apis, channel: Channel, rest: str) -> str:
    r"""``uuid_setvar UUID NAME [VALUE]``: ``\n`` in the value becomes a line feed; without a value, unset."""
    name, _, value = rest.partition(" ")
    if not name:
        return "-USAGE: <uuid> <var> [value]\n"
    if value:
        channel.variables[name] = value.replace("\\n", "\n")
    else:
        channel.variables.drop(name)
    return OK


def uuid_getvar(apis: Apis, channel: Channel, rest: str) -> str:
    """``uuid_getvar UUID NAME``"""
    value = channel.variables.get(rest, "_undef_")
    return value if isinstance(value, str) else "ARRAY::" + "|:".join(value)


def uuid_recv_dtmf(apis: Apis, channel: Channel, rest: str) -> str:
    """``uuid_recv_dtmf UUID DIGITS[@MS]``: as if the far end had pressed them."""
    for digit in rest.split("@", maxsplit=1)[0]:
        channel.press(digit, "APP")
    return f"+OK {channel.uuid} received DTMF {rest}.\n"


def uuid_send_dtmf(apis: Apis, channel: Channel, rest: str) -> str:
    """``uuid_send_dtmf UUID DIGITS[@MS]``: to the far end, which shows in no event."""
    return f"+OK {channel.uuid} sent DTMF {rest}.\n" if rest else "-USAGE: <uuid> <dtmf_data>\n"


def uuid_hold(apis: Apis, args: str) -> str:
    """``uuid_hold [off|toggle] UUID``"""
    words = args.split()
    off = words[:1] == ["off"]
    channel = apis.exchange.channel(words[-1]) if words else None
    if channel is None:
        return "-ERR Operation failed\n"
    toggle = words[0] == "toggle"
    channel.hold(channel.call_state != "HELD" if toggle else not off)
    return "+OK Success\n"


def uuid_record(apis: Apis, channel: Channel, rest: str) -> str:
    """``uuid_record UUID start|stop PATH``"""
    action, _, path = rest.partition(" ")
    started = str(channel.variables.get("record_session_path", ""))
    if action == "start" and path:
        channel.variables["record_session_path"] = path
        channel.fire("RECORD_START", [("Record-File-Path", path)])
    elif action == "stop" and started and path in (started, "all"):
        channel.variables.drop("record_session_path")
        channel.fire("RECORD_STOP", [("Record-File-Path", started), ("record_seconds", str(int(SOUND_SECONDS)))])
    else:
        return "-ERR Cannot record session!\n"
    return OK


def _transcribe(vendor: str) -> Api:
    def act(apis: Apis, channel: Channel, rest: str) -> str:
        words = rest.split()
        if words[:1] == ["start"]:
            channel.add_bug(vendor)
        elif words[:1] == ["stop"]:
            channel.remove_bug(vendor)
        else:
            return "-USAGE: <uuid> [start|stop] [lang] [interim|full] [stereo|mono] [bugname]\n"
        return "+OK Success\n"

    return _on_channel(act)


# --- all of them ---


def hupall(apis: Apis, args: str) -> str:
    """``hupall [CAUSE]``"""
    for channel in list(apis.core.channels.values()):
        channel.thread.hang_up(args.split(maxsplit=1)[0] if args else "MANAGER_REQUEST")
    return f"+OK hangup all channels with cause {args.split(maxsplit=1)[0] if args else 'MANAGER_REQUEST'}\n"


TABLE: dict[str, Api] = {
    "hupall": hupall,
    "originate": lambda apis, args: originate(apis.exchange, args),
    "show": show,
    "uuid_answer": _on_channel(uuid_answer, missing="-ERROR\n"),
    "uuid_break": _on_channel(uuid_break),
    "uuid_bridge": uuid_bridge,
    "uuid_broadcast": _on_channel(uuid_broadcast),
    "uuid_dump": _on_channel(uuid_dump),
    "uuid_exists": lambda apis, args: "true" if apis.channel(args) is not None else "false",
    "uuid_getvar": _on_channel(uuid_getvar),
    "uuid_hold": uuid_hold,
    "uuid_kill": _on_channel(uuid_kill),
    "uuid_park": _on_channel(uuid_park),
    "uuid_record": _on_channel(uuid_record),
    "uuid_recv_dtmf": _on_channel(uuid_recv_dtmf),
    "uuid_send_dtmf": _on_channel(uuid_send_dtmf),
    "uuid_setvar": _on_channel(uuid_setvar),
    "uuid_transfer": _on_channel(uuid_transfer),
    "brain_stt": _transcribe("brain_stt"),
    "uuid_brain_stt": _transcribe("brain_stt"),
    **{f"uuid_{vendor}_transcribe": _transcribe(vendor) for vendor in BODIES if vendor != "brain_stt"},
}
