"""What a snapshot does with legs that move or end while it is read: a command link on a real socket, step by step."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from daemon.calls.call import CallState
from daemon.calls.registry import Registry
from daemon.hub import Hub
from daemon.recall import Recall
from daemon.stores.calls import get_call, save_calls
from daemon.stores.database import Database
from daemon.switch.clock import SwitchClock
from daemon.switch.command_link import CommandLink
from daemon.switch.event_link import EventLink
from daemon.switch.link import Link, connect
from daemon.switch.reconcile import Reconciler
from daemon.switch.translate import Translator
from daemon.transcripts.assembler import Transcripts
from protocols.esl.connection import Connection
from protocols.esl.events import EslEvent
from tests.daemon.stores.rows import call_row, leg_row
from tests.daemon.switch.script import Conversation, ScriptedSwitch, response

NOW = 1_795_199_377.0


class Site:
    """A switch that lists ``listed`` and has the channels in ``dumps`` (``uuid_dump`` by leg), and who follows it."""

    def __init__(self, database: Database | None) -> None:
        self.dumps: dict[str, dict[str, str]] = {}
        self.listed: list[str] = []
        self.slow: dict[str, asyncio.Event] = {}
        """Legs that are asked about in vain until the event is set."""
        self.asked: dict[str, asyncio.Event] = {}
        self.server = ScriptedSwitch(self._serve)
        self.hub = Hub()
        self.registry = Registry(self.hub, clock=lambda: NOW, keep_ended=300.0)
        self.transcripts = Transcripts(self.hub, self.registry, epoch="epoch")
        self.translator = Translator(
            "main", self._apply, clock=SwitchClock("main", lambda: NOW), brain_sample_rate=8000
        )
        self._commands = CommandLink(reply_timeout=10.0)
        self.events = EventLink("main", self.translator, self._commands, on_heartbeat=lambda: None)
        self._sequence = 0
        recall: Callable[..., Any] = _nothing_stored
        if database is not None:
            recall = Recall(database, self.registry, self.transcripts, replayed=_at_once, clock=lambda: NOW)
        self.reconciler = Reconciler("main", self._commands, self.translator.legs, self.registry, recall, grace=0.0)

    def _apply(self, event: Any) -> None:
        self.registry.apply(event)
        self.transcripts.apply(event)

    async def start(self) -> None:
        await self.server.start()
        link = Link(
            Connection("ClueCon"),
            "commands",
            on_event=lambda event: None,
            on_answer=self._commands.answered,
            on_lost=self._commands.lose,
        )
        await connect(link, "127.0.0.1", self.server.port, within=10.0)
        self._commands.attach(link)

    def there_is(self, *leg_ids: str, **data: str) -> None:
        """These legs are up and parked."""
        for leg_id in leg_ids:
            self.listed.append(leg_id)
            self.dumps[leg_id] = {
                "Event-Name": "CHANNEL_DATA",
                "Core-UUID": "core",
                "Unique-ID": leg_id,
                "Channel-State": "CS_EXECUTE",
                "Answer-State": "answered",
                "Event-Date-Timestamp": _stamp(NOW),
                "Caller-Channel-Created-Time": _stamp(NOW - 9),
                "Caller-Channel-Answered-Time": _stamp(NOW - 8),
                "variable_current_application": "park",
            } | data

    def fire(self, name: str, leg_id: str, **fields: str) -> None:
        """An event arrives on the event link."""
        self._sequence += 1
        known = {"answer_state": "answered", "channel_state": "CS_EXECUTE"} | fields
        self.events.take(
            EslEvent(
                name=name,
                core_uuid="core",
                timestamp=_stamp(NOW),
                sequence=str(self._sequence),
                unique_id=leg_id,
                created_time=_stamp(NOW - 9),
                answered_time=_stamp(NOW - 8),
                **known,
            )
        )

    def standing(self) -> dict[str, tuple[str, bool, str]]:
        """State of the call, parked, and the other side, of each live leg."""
        return {
            leg.leg_id: (str(call.state), leg.parked, leg.peer_id)
            for call in self.registry.calls()
            if call.state is not CallState.ENDED
            for leg in call.legs
        }

    async def _serve(self, client: Conversation) -> None:
        await client.sign_in()
        while command := await client.command():
            _, name, *words = command.split()
            if name == "show":
                rows = [{"uuid": leg_id, "direction": "inbound", "application": "park"} for leg_id in self.listed]
                await client.send(response(json.dumps({"row_count": len(rows), "rows": rows})))
                continue
            leg_id = words[0]
            self.asked.setdefault(leg_id, asyncio.Event()).set()
            if leg_id in self.slow:
                await self.slow[leg_id].wait()
            known = self.dumps.get(leg_id)
            if name == "uuid_exists":
                await client.send(response("false" if known is None else "true"))
            else:
                await client.send(response("-ERR No such channel!\n" if known is None else json.dumps(known)))


def _stamp(at: float) -> str:
    return str(int(at * 1e6))


async def _nothing_stored(*_: object) -> None:
    """No call outlived a Parley before this one."""


async def _at_once() -> None:
    """Nothing was left in a spool."""


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site(None)
    await made.start()
    yield made
    await made.server.stop()


@pytest.fixture
async def stored(tmp_path: Path) -> AsyncIterator[tuple[Site, Database]]:
    """A site with a store of its own."""
    database = Database.of(f"sqlite:///{tmp_path}/parley.db")
    await database.upgrade()
    made = Site(database)
    await made.start()
    yield made, database
    await made.server.stop()
    await database.close()


async def test_what_events_told_meanwhile_is_newer_than_a_snapshot_that_comes_late(site: Site) -> None:
    site.there_is("leg-a", "leg-b", "leg-z")
    site.slow["leg-z"] = asyncio.Event()
    site.fire("CHANNEL_PARK", "leg-a")
    site.fire("CHANNEL_PARK", "leg-b")
    learning = asyncio.create_task(site.reconciler.snapshot())
    await site.asked.setdefault("leg-z", asyncio.Event()).wait()
    site.fire("CHANNEL_UNPARK", "leg-a")
    site.fire("CHANNEL_UNPARK", "leg-b")
    site.fire("CHANNEL_BRIDGE", "leg-a", bridge_a_id="leg-a", bridge_b_id="leg-b", other_leg_id="leg-b")
    site.slow["leg-z"].set()
    await learning
    await site.reconciler.settle()
    assert site.standing() == {
        "leg-a": ("bridged", False, "leg-b"),
        "leg-b": ("bridged", False, "leg-a"),
        "leg-z": ("parked", True, ""),
    }


async def test_a_stored_call_whose_leg_is_listed_and_gone_ends(stored: tuple[Site, Database]) -> None:
    site, database = stored
    site.listed = ["leg-1"]
    row = call_row("call-1", other_id="leg-1", created_at=NOW - 100, legs=[leg_row("leg-1", created_at=NOW - 100)])
    async with database.transaction() as connection:
        await save_calls(connection, [row])
    await site.reconciler.snapshot()
    await site.reconciler.settle()
    async with database.read() as connection:
        found = await get_call(connection, "call-1")
    assert found is not None
    assert (found.state, found.disposition) == ("ended", "lost")
    assert site.registry.calls() == []


async def test_a_stored_call_that_hangs_up_while_it_is_asked_about_keeps_its_cause_and_its_last_words(
    stored: tuple[Site, Database],
) -> None:
    site, database = stored
    site.listed = ["leg-1"]
    row = call_row("call-1", other_id="leg-1", created_at=NOW - 100, legs=[leg_row("leg-1", created_at=NOW - 100)])
    async with database.transaction() as connection:
        await save_calls(connection, [row])
    await site.reconciler.snapshot()
    site.fire("CHANNEL_HANGUP", "leg-1", answer_state="hangup", hangup_cause="NORMAL_CLEARING")
    words = '{"text":"그럼 이만","start":1,"end":2}'
    site.fire("CUSTOM", "leg-1", subclass="brain_stt::transcription", body=words, answer_state="hangup")
    [call] = site.registry.calls()
    assert (call.call_id, call.state, call.hangup_cause) == ("call-1", CallState.ENDED, "NORMAL_CLEARING")
    assert [one.text for one in site.transcripts.finals("call-1")] == ["그럼 이만"]
    assert site.transcripts.orphans == 0
