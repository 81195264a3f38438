"""What happened on a switch, event by event, and what the switch would have told of its channels after each of them."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from daemon.demo.channel_list import as_json, row_of
from daemon.demo.core import Core
from daemon.demo.event import Event, Format, Headers
from daemon.demo.recorded import RecordedLegs, load
from protocols.esl.events import EslEvent, decode_event
from protocols.esl.parser import FrameParser
from tests.wire import recordings

QUIET = 0.1
"""Seconds without an event after which a recorded switch is taken to be done with what it did."""


class Moment(NamedTuple):
    """An event has just been sent; or, where ``event`` is none, all that came with the last one is done.

    ``rows`` is ``show channels as json``, ``dumps`` what ``uuid_dump`` prints by leg id, ``at`` the switch's time.
    """

    event: Event | None
    at: float
    core_uuid: str
    rows: str
    dumps: dict[str, Headers]

    @property
    def name(self) -> str:
        return self.event.name if self.event is not None else ""

    @property
    def frame(self) -> bytes:
        """What an event link carries of it."""
        return self.event.frame("json") if self.event is not None else b""

    def decoded(self) -> list[EslEvent]:
        """The event, as Parley reads it."""
        return [decode_event(frame) for frame in FrameParser().feed(self.frame)]

    def dump(self, leg_id: str, form: Format) -> str:
        """What ``uuid_dump`` prints now of a leg that there is."""
        begin: Headers = [
            ("Event-Name", "CHANNEL_DATA"),
            ("Core-UUID", self.core_uuid),
            ("Event-Date-Timestamp", str(round(self.at * 1_000_000))),
        ]
        return Event([*begin, *self.dumps[leg_id]]).encoded(form).decode("utf-8", "surrogateescape")


class History(list[Moment]):
    """The moments of a switch, oldest first."""

    def follow(self, core: Core) -> None:
        """Take down all that happens on a simulated switch from now on, each event while it is being fired.

        What it tells then can be half of a change, as that of a switch with a thread for each channel. Whenever it is
        done with all that it did at once, that is a moment of its own.
        """

        def take(event: Event | None) -> None:
            channels = core.channels.values()
            rows = as_json([row_of(channel) for channel in channels])
            dumps = {channel.uuid: channel.headers(full=True) for channel in channels}
            self.append(Moment(event, core.clock(), core.core_uuid, rows, dumps))
            if event is not None:
                asyncio.get_running_loop().call_soon(done)

        def done() -> None:
            if self[-1].event is not None:
                take(None)

        core.listen(take)

    @classmethod
    def recorded(cls, name: str) -> History:
        """The recording ``name``: each channel as the events until then show it."""
        history, legs = cls(), RecordedLegs()
        dumps: dict[str, Headers] = {}
        events = load(recordings.FOLDER / "freeswitch" / f"{name}.gz")
        for event, following in zip(events, [*events[1:], None], strict=True):
            legs.take(event)
            dumps = {leg_id: known for leg_id, known in dumps.items() if leg_id in legs}
            leg_id = event.text("Unique-ID")
            if leg_id in legs:
                dumps[leg_id] = legs.data(leg_id)
            at = event.at or history[-1].at
            moment = Moment(event, at, event.text("Core-UUID"), as_json(legs.rows()), dumps)
            history.append(moment)
            if following is None or following.at - at > QUIET:
                history.append(moment._replace(event=None))
        return history

    def events(self, first: int, last: int) -> list[EslEvent]:
        """The events of the moments from ``first`` to ``last``, both included, as Parley reads them."""
        return [event for moment in self[first : last + 1] for event in moment.decoded()]
