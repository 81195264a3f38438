"""Calls that got a fresh id because the database was away at a restart, and turn out to be stored already."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from daemon.calls.call import CallForgotten, CallState
from daemon.calls.events import Direction, LegAppeared, LegEvent, LegsBridged, SpeechRecognised
from daemon.calls.registry import Registry
from daemon.recall import final_of
from daemon.stores.database import Database
from daemon.stores.utterances import UtteranceRow, utterances_of
from daemon.transcripts.assembler import Transcripts
from daemon.transcripts.backlog import Backlog
from protocols.stt.result import RecognitionResult
from tests.daemon.transcripts.recording import Recording, finals, make_call, make_leg, out_of_order, recording


async def store_first(database: Database, spool: Path) -> None:
    """What an earlier process has stored: the call ``old`` with three utterances."""
    async with recording(database, spool) as made:
        made.call("old", legs=[make_leg("leg-old"), make_leg("second")])
        made.say("old", 1, 2, 3)
        await made.settle()


async def test_a_call_met_anew_goes_on_where_it_was(database: Database, tmp_path: Path) -> None:
    await store_first(database, tmp_path)
    async with recording(database, tmp_path) as made:
        async with out_of_order(database):
            made.call("fresh", other_id="leg-old", state=CallState.BRIDGED)
            made.say("fresh", 1, 2, 3, 4)
            await made.until_away()
            assert made.rekeyed == []
        await made.settle()
        assert made.rekeyed == [("fresh", "old", finals("old", 1, 3))]
        made.say("fresh", 5)  # published before the live side followed
        made.call("old", other_id="leg-old", state=CallState.HELD)
        made.say("old", 9)
        await made.settle()
        assert await made.stored("old") == [*finals("old", 1, 3), *finals("fresh", 1, 5), "old/9"]
        row = await made.row("old")
        assert row is not None
        assert (row.state, [leg.leg_id for leg in row.legs]) == ("held", ["leg-old", "second"])
        assert (await made.row("fresh")) == row
        assert made.number("resequenced") == made.number("rejected") == 0
        assert len(made.rekeyed) == 1


async def test_it_is_found_by_a_leg_that_was_not_its_first(database: Database, tmp_path: Path) -> None:
    await store_first(database, tmp_path)
    async with recording(database, tmp_path) as made:
        made.call("fresh", other_id="second")
        made.say("fresh", 1)
        await made.settle()
        assert made.rekeyed == [("fresh", "old", finals("old", 1, 3))]
        assert await made.stored("old") == [*finals("old", 1, 3), "fresh/1"]
        row = await made.row("old")
        assert row is not None
        assert row.other_id == "leg-old"


async def test_the_same_leg_on_another_switch_is_another_call(database: Database, tmp_path: Path) -> None:
    await store_first(database, tmp_path)
    async with recording(database, tmp_path) as made:
        made.call("fresh", other_id="leg-old", server="second")
        made.say("fresh", 1)
        await made.settle()
        assert made.rekeyed == []
        assert await made.stored("fresh") == ["fresh/1"]


@pytest.mark.parametrize("batch_rows", [1, 3, 500])
async def test_all_of_it_waited_in_the_spool_over_two_restarts(
    database: Database, tmp_path: Path, batch_rows: int
) -> None:
    """Nothing of it was stored when the fresh ids were given; the last process finds all three in one spool."""
    async with out_of_order(database):
        for call_id in ("first", "second", "third"):
            async with recording(database, tmp_path) as made:
                made.call(call_id, other_id="leg")
                made.say(call_id, 1, 2, 3)
                await made.until_away()
    async with recording(database, tmp_path, batch_rows=batch_rows) as made:
        await made.recorder.replayed()
        assert await made.stored("first") == [*finals("first", 1, 3), *finals("second", 1, 3), *finals("third", 1, 3)]
        assert made.rekeyed == []  # no call of this process's memory
        row = await made.row("second")
        assert row is not None
        assert row.call_id == "first"
        # A record that names a fresh id may still come after a restart.
        made.say("third", 4)
        await made.settle()
        assert (await made.stored("first"))[-1] == "third/4"
        assert made.number("rejected") == made.number("resequenced") == 0


async def test_replaying_does_not_move_what_is_stored(database: Database, tmp_path: Path) -> None:
    await store_first(database, tmp_path)
    for _ in range(2):
        async with recording(database, tmp_path) as made:
            made.call("fresh", other_id="leg-old")
            made.say("fresh", 1, 2)
            await made.settle()
            assert await made.stored("old") == [*finals("old", 1, 3), *finals("fresh", 1, 2)]


async def test_a_call_that_left_memory_is_not_spoken_of(database: Database, tmp_path: Path) -> None:
    await store_first(database, tmp_path)
    async with recording(database, tmp_path) as made:
        async with out_of_order(database):
            made.call("fresh", other_id="leg-old", state=CallState.ENDED, ended_at=1_700_000_100.0)
            made.say("fresh", 1)
            made.hub.publish(CallForgotten(make_call("fresh", other_id="leg-old")))
        await made.settle()
        assert made.rekeyed == []
        assert await made.stored("old") == [*finals("old", 1, 3), "fresh/1"]
        row = await made.row("old")
        assert row is not None
        assert row.ended_at == 1_700_000_100.0


async def test_a_call_merged_into_a_fresh_one_is_merged_into_the_stored_one(database: Database, tmp_path: Path) -> None:
    await store_first(database, tmp_path)
    async with recording(database, tmp_path) as made:
        young_leg = make_leg("leg-young", created_at=1_700_000_050.0)
        made.call("fresh", other_id="leg-old", legs=[make_leg("leg-old"), young_leg])
        made.call("young", state=CallState.ENDED, legs=[], merged_into="fresh")
        await made.settle()
        young, old = await made.row("young"), await made.row("old")
        assert young is not None
        assert old is not None
        assert (young.call_id, young.merged_into) == ("young", "old")
        assert [leg.leg_id for leg in old.legs] == ["leg-old", "second", "leg-young"]


async def test_a_bridge_is_not_a_call_found_again(database: Database, tmp_path: Path) -> None:
    """Two calls become one within one flush, or over several: the younger keeps its own row and utterances."""
    for number, pause in ((1, False), (2, True)):
        older, younger = f"older-{number}", f"younger-{number}"
        async with recording(database, tmp_path) as made:
            for call_id in (older, younger):
                made.call(call_id)
                made.say(call_id, 1)
            if pause:
                await made.settle()
            made.call(older, legs=[make_leg(f"leg-{older}"), make_leg(f"leg-{younger}")])
            made.call(younger, state=CallState.ENDED, ended_at=1_700_000_009.0, legs=[], merged_into=older)
            made.say(older, 2)
            await made.settle()
            assert made.rekeyed == []
            assert await made.stored(older) == finals(older, 1, 2)
            assert await made.stored(younger) == finals(younger, 1, 1)
            row = await made.row(younger)
            assert row is not None
            assert (row.call_id, row.merged_into) == (younger, older)


class Live:
    """The live side as the service builds it: registry and transcripts, with the recorder's word on re-keyed calls."""

    def __init__(self, database: Database, spool: Path, **config: Any) -> None:
        self.made = Recording(database, spool, rekey=self.rekey, **config)
        self.registry = Registry(self.made.hub, clock=lambda: 1_700_000_000.0, keep_ended=60.0)
        self.transcripts = Transcripts(self.made.hub, self.registry, epoch="first")
        self.words = itertools.count(1)

    def rekey(self, old_call_id: str, call_id: str, stored: list[UtteranceRow]) -> None:
        self.registry.rekey(old_call_id, call_id)
        self.transcripts.rekey(old_call_id, call_id, [final_of(row) for row in stored])

    def apply(self, event: LegEvent) -> None:
        self.registry.apply(event)  # type: ignore[arg-type]
        self.transcripts.apply(event)  # type: ignore[arg-type]

    def appear(self, leg_id: str, created_at: float) -> str:
        self.apply(
            LegAppeared(
                origin="freeswitch",
                server="main",
                leg_id=leg_id,
                at=created_at,
                call_key=leg_id,
                direction=Direction.INBOUND,
                created_at=created_at,
                answered_at=created_at,
            )
        )
        call = self.registry.call_of("freeswitch", "main", leg_id)
        assert call is not None
        return call.call_id

    def bridge(self, leg_id: str, other_leg_id: str) -> None:
        self.apply(
            LegsBridged(
                origin="freeswitch", server="main", leg_id=leg_id, at=1_700_000_020.0, other_leg_id=other_leg_id
            )
        )

    def hear(self, leg_id: str, count: int) -> None:
        for _ in range(count):
            result = RecognitionResult(text=f"{next(self.words)}번째 말", final=True)
            self.apply(
                SpeechRecognised(
                    origin="freeswitch", server="main", leg_id=leg_id, at=1_700_000_010.0, result=result, vendor="brain"
                )
            )


async def test_memory_and_store_agree_on_every_seq(database: Database, tmp_path: Path) -> None:
    before = Live(database, tmp_path)
    before.made.start()
    stored_id = before.appear("leg-a", 1_700_000_000.0)
    before.hear("leg-a", 5)
    await before.made.settle()
    await before.made.stop()

    live = Live(database, tmp_path)
    live.made.start()
    async with out_of_order(database):
        fresh_id = live.appear("leg-a", 1_700_000_000.0)
        other_id = live.appear("leg-b", 1_700_000_005.0)
        live.hear("leg-a", 4)
        live.hear("leg-b", 2)
        assert fresh_id != stored_id
    await live.made.until(lambda: live.registry.get(stored_id) is not None)
    assert live.registry.get(fresh_id) is None
    assert live.transcripts.epoch != "first"
    live.hear("leg-a", 3)
    live.bridge("leg-b", "leg-a")
    live.hear("leg-b", 2)
    await live.made.settle()
    async with database.read() as connection:
        for call_id, count in ((stored_id, 5 + 4 + 3 + 2), (other_id, 2)):
            rows = [final_of(row) for row in await utterances_of(connection, call_id)]
            assert rows == live.transcripts.finals(call_id)
            assert len(rows) == count
        assert await utterances_of(connection, fresh_id) == []
    young = await live.made.row(other_id)
    assert young is not None
    assert young.merged_into == stored_id
    assert live.made.number("resequenced") == live.made.number("rejected") == 0
    await live.made.stop()


@pytest.mark.parametrize("batch_rows", [1, 3, 500])
async def test_two_fresh_calls_of_one_stored_call_become_one_here_and_in_the_store(
    database: Database, tmp_path: Path, batch_rows: int
) -> None:
    before = Live(database, tmp_path)
    before.made.start()
    stored_id = before.appear("leg-a", 1_700_000_000.0)
    before.appear("leg-b", 1_700_000_005.0)
    before.bridge("leg-a", "leg-b")
    before.hear("leg-a", 5)
    await before.made.settle()
    await before.made.stop()

    live = Live(database, tmp_path, batch_rows=batch_rows)
    live.made.start()
    async with out_of_order(database):
        for leg_id, created_at in (("leg-a", 1_700_000_000.0), ("leg-b", 1_700_000_005.0)):
            live.appear(leg_id, created_at)
        for leg_id in ("leg-a", "leg-b", "leg-a"):
            live.hear(leg_id, 2)
    await live.made.until(lambda: [call.call_id for call in live.registry.calls()] == [stored_id])
    for leg_id in ("leg-a", "leg-b"):
        live.hear(leg_id, 2)
    await live.made.settle()
    async with database.read() as connection:
        rows = [final_of(row) for row in await utterances_of(connection, stored_id)]
    assert rows == live.transcripts.finals(stored_id)
    assert [row.seq for row in rows] == list(range(1, 5 + 6 + 4 + 1))
    assert [row.leg_id for row in rows[5:]] == ["leg-a"] * 4 + ["leg-b"] * 2 + ["leg-a"] * 2 + ["leg-b"] * 2
    stored = await live.made.row(stored_id)
    assert stored is not None
    assert [leg.leg_id for leg in stored.legs] == ["leg-a", "leg-b"]
    assert live.made.number("resequenced") == live.made.number("rejected") == 0
    assert live.made.number("rekeyed") == 2
    await live.made.stop()


def test_what_changed_last_is_stored_last() -> None:
    backlog = Backlog(10)
    for number, call_id in enumerate(("stored", "fresh", "stored")):
        backlog.note_call(float(number), make_call(call_id))
    taken = backlog.take()
    assert list(taken.calls) == ["fresh", "stored"]
    backlog.note_call(4.0, make_call("fresh"))
    backlog.put_back(taken)
    assert [(call_id, at) for call_id, (at, _) in backlog.take().calls.items()] == [("stored", 2.0), ("fresh", 4.0)]
