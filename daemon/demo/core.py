"""The core of the simulated switch: who it is, what time it is, which channels it has, and the firing of events."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from daemon.demo.event import Event, Headers, Value

if TYPE_CHECKING:
    from daemon.demo.channel import Channel

log = structlog.get_logger(__name__)

VERSION = "1.10.12-release"
HOSTNAME = "demo"
SWITCHNAME = "fs-demo"
ADDRESS = "127.0.0.1"
MAX_SESSIONS = 3000
MAX_SESSIONS_PER_SECOND = 1000

# event name → the source file, function and line that FreeSWITCH 1.10.12 names in it
ORIGINS = {
    "API": ("switch_loadable_module.c", "switch_api_execute", 2954),
    "BACKGROUND_JOB": ("mod_event_socket.c", "api_exec", 1572),
    "CALL_UPDATE": ("mod_sofia.c", "sofia_receive_message", 2100),
    "CHANNEL_ANSWER": ("switch_channel.c", "switch_channel_perform_mark_answered", 3846),
    "CHANNEL_BRIDGE": ("switch_ivr_bridge.c", "switch_ivr_multi_threaded_bridge", 1689),
    "CHANNEL_CALLSTATE": ("switch_channel.c", "switch_channel_perform_set_callstate", 301),
    "CHANNEL_CREATE": ("switch_core_state_machine.c", "switch_core_session_run", 626),
    "CHANNEL_DATA": ("mod_commands.c", "uuid_dump_function", 6559),
    "CHANNEL_DESTROY": ("switch_core_session.c", "switch_core_session_perform_destroy", 1584),
    "CHANNEL_EXECUTE": ("switch_core_session.c", "switch_core_session_exec", 2944),
    "CHANNEL_EXECUTE_COMPLETE": ("switch_core_session.c", "switch_core_session_exec", 2967),
    "CHANNEL_HANGUP": ("switch_channel.c", "switch_channel_perform_hangup", 3445),
    "CHANNEL_HANGUP_COMPLETE": ("switch_core_state_machine.c", "switch_core_session_reporting_state", 943),
    "CHANNEL_HOLD": ("mod_sofia.c", "sofia_glue_toggle_hold", 2011),
    "CHANNEL_ORIGINATE": ("switch_core_state_machine.c", "switch_core_session_run", 632),
    "CHANNEL_OUTGOING": ("switch_core_session.c", "switch_core_session_outgoing_channel", 768),
    "CHANNEL_PARK": ("switch_ivr.c", "switch_ivr_park", 1002),
    "CHANNEL_PROGRESS": ("switch_channel.c", "switch_channel_perform_mark_ring_ready_value", 3477),
    "CHANNEL_PROGRESS_MEDIA": ("switch_channel.c", "switch_channel_perform_mark_pre_answered", 3560),
    "CHANNEL_STATE": ("switch_channel.c", "switch_channel_perform_set_running_state", 2408),
    "CHANNEL_UNBRIDGE": ("switch_ivr_bridge.c", "switch_ivr_multi_threaded_bridge", 1879),
    "CHANNEL_UNHOLD": ("mod_sofia.c", "sofia_glue_toggle_hold", 2035),
    "CHANNEL_UNPARK": ("switch_ivr.c", "switch_ivr_park", 1213),
    "CHANNEL_UUID": ("switch_core_session.c", "switch_core_session_set_uuid", 2275),
    "COMMAND": ("switch_ivr_async.c", "switch_ivr_broadcast", 5731),
    "DTMF": ("switch_channel.c", "switch_channel_dequeue_dtmf", 677),
    "HEARTBEAT": ("switch_core.c", "send_heartbeat", 95),
    "MEDIA_BUG_START": ("switch_core_media_bug.c", "switch_core_media_bug_add", 982),
    "MEDIA_BUG_STOP": ("switch_core_media_bug.c", "switch_core_media_bug_close", 1264),
    "MODULE_UNLOAD": ("switch_loadable_module.c", "switch_loadable_module_unprocess", 1240),
    "PLAYBACK_START": ("switch_ivr_play_say.c", "switch_ivr_play_file", 1646),
    "PLAYBACK_STOP": ("switch_ivr_play_say.c", "switch_ivr_play_file", 2020),
    "PRIVATE_COMMAND": ("switch_ivr.c", "switch_ivr_parse_next_event", 804),
    "RECORD_START": ("switch_ivr_async.c", "switch_ivr_record_session_event", 2973),
    "RECORD_STOP": ("switch_ivr_async.c", "record_callback", 1564),
    "RE_SCHEDULE": ("switch_scheduler.c", "switch_scheduler_execute", 73),
    "SHUTDOWN": ("switch_core.c", "switch_core_destroy", 3023),
}
UNKNOWN_ORIGIN = ("mod_event_socket.c", "parse_command", 2266)


def new_uuid() -> str:
    """An id as FreeSWITCH writes them."""
    return str(uuid.uuid4())


def microseconds(seconds: float) -> str:
    """A time as most headers carry it."""
    return str(round(seconds * 1_000_000))


def local_stamp(seconds: float) -> str:
    """A time as people read it on the switch, whose zone is UTC here."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


class Core:
    """One running switch, from its start to its end: a restart makes a new one.

    ``clock`` gives Unix seconds, ``new_id`` ids that are never repeated; give your own for a run that repeats itself.
    ``speed`` divides every duration: at 50 a prompt of two seconds takes 40 ms, and its events say so.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        new_id: Callable[[], str] = new_uuid,
        speed: float = 1.0,
        core_uuid: str = "",
        first_sequence: int = 1,
    ) -> None:
        self.clock = clock
        self.new_id = new_id
        self.speed = speed
        self.core_uuid = core_uuid or new_id()
        self.started_at = clock()
        self.channels: dict[str, Channel] = {}
        self.globals = {"hostname": HOSTNAME, "local_ip_v4": ADDRESS, "core_uuid": self.core_uuid}
        self.silent_ends = 0
        """How many of the next applications end without saying so."""
        self.sessions = 0
        self.peak = 0
        self._sequence = itertools.count(first_sequence)
        self._session_numbers = itertools.count(1)
        self._listeners: list[Callable[[Event], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something that takes time and ends with this switch at the latest."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("simulation_failed", exc_info=error)

    async def pause(self, seconds: float) -> None:
        """Let time pass at this switch's speed."""
        await asyncio.sleep(seconds / self.speed)

    async def close(self) -> None:
        """Stop at once whatever takes time. Channels stay as they are: this is what a killed process leaves."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._listeners.clear()

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call ``listener`` with every event, in the order they are fired."""
        self._listeners.append(listener)

    def next_sequence(self) -> int:
        """The next ``Event-Sequence``. A number can be taken long before its event is fired, as on the wire."""
        return next(self._sequence)

    def headers(
        self, name: str, *, subclass: str = "", sequence: int | None = None, origin: tuple[str, str, int] | None = None
    ) -> Headers:
        """The headers that every event begins with. ``Event-Subclass`` stands before ``Event-Name``."""
        file, function, line = origin or ORIGINS.get(name, UNKNOWN_ORIGIN)
        seconds = self.clock()
        moment = datetime.fromtimestamp(seconds, UTC)
        return [
            ("Event-Subclass", subclass),
            ("Event-Name", name),
            ("Core-UUID", self.core_uuid),
            ("FreeSWITCH-Hostname", HOSTNAME),
            ("FreeSWITCH-Switchname", SWITCHNAME),
            ("FreeSWITCH-IPv4", ADDRESS),
            ("FreeSWITCH-IPv6", "::1"),
            ("Event-Date-Local", moment.strftime("%Y-%m-%d %H:%M:%S")),
            ("Event-Date-GMT", moment.strftime("%a, %d %b %Y %H:%M:%S GMT")),
            ("Event-Date-Timestamp", microseconds(seconds)),
            ("Event-Calling-File", file),
            ("Event-Calling-Function", function),
            ("Event-Calling-Line-Number", str(line)),
            ("Event-Sequence", str(self.next_sequence() if sequence is None else sequence)),
        ]

    def fire(
        self,
        name: str,
        headers: Iterable[tuple[str, Value]] = (),
        body: str | None = None,
        *,
        subclass: str = "",
        sequence: int | None = None,
        origin: tuple[str, str, int] | None = None,
    ) -> Event:
        """Send an event to everyone who listens."""
        begin = self.headers(name, subclass=subclass, sequence=sequence, origin=origin)
        event = Event([*begin, *headers], body)
        self.send(event)
        return event

    def send(self, event: Event) -> None:
        """Send an event that is already whole."""
        for listener in self._listeners:
            listener(event)

    def add(self, channel: Channel) -> int:
        """Take in a new channel; return its session number."""
        self.channels[channel.uuid] = channel
        self.sessions += 1
        self.peak = max(self.peak, len(self.channels))
        return next(self._session_numbers)

    def uptime(self) -> str:
        """How long the switch has been up, in the words of its ``status``."""
        total = round((self.clock() - self.started_at) * 1_000_000)
        units = [("years", 365 * 86_400 * 10**6), ("days", 86_400 * 10**6), ("hours", 3600 * 10**6)]
        units += [("minutes", 60 * 10**6), ("seconds", 10**6), ("milliseconds", 1000), ("microseconds", 1)]
        words = []
        for unit, size in units:
            count, total = divmod(max(total, 0), size)
            words.append(f"{count} {unit[:-1] if count == 1 else unit}")
        return ", ".join(words)

    def heartbeat(self, interval: float) -> None:
        """Fire HEARTBEAT and the RE_SCHEDULE that goes with it."""
        live, peak = str(len(self.channels)), str(self.peak)
        self.fire(
            "HEARTBEAT",
            [
                ("Event-Info", "System Ready"),
                ("Up-Time", self.uptime()),
                ("FreeSWITCH-Version", f"{VERSION}~64bit"),
                ("Uptime-msec", str(round((self.clock() - self.started_at) * 1000))),
                ("Session-Count", live),
                ("Max-Sessions", str(MAX_SESSIONS)),
                ("Session-Per-Sec", str(MAX_SESSIONS_PER_SECOND)),
                ("Session-Per-Sec-Last", "0"),
                ("Session-Per-Sec-Max", peak),
                ("Session-Per-Sec-FiveMin", peak),
                ("Session-Since-Startup", str(self.sessions)),
                ("Session-Peak-Max", peak),
                ("Session-Peak-FiveMin", peak),
                ("Idle-CPU", "97.500000"),
            ],
        )
        self.fire(
            "RE_SCHEDULE",
            [
                ("Task-ID", "1"),
                ("Task-Desc", "heartbeat"),
                ("Task-Group", "core"),
                ("Task-Runtime", str(round(self.clock() + interval))),
            ],
        )
