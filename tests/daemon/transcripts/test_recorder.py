"""The recorder with a database that is well: what is published is stored, once, in order, on both engines."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from daemon.calls.call import CallChanged, CallState, Disposition, LegState
from daemon.config import RecorderConfig
from daemon.health import Condition
from daemon.hub import Hub
from daemon.stores.database import Database
from daemon.stores.utterances import utterances_of
from daemon.transcripts.recorder import Recorder
from daemon.transcripts.spool import Spool, SpoolInUseError
from tests.daemon.stores.rows import utterance_row
from tests.daemon.transcripts.recording import Recording, finals, make_call, make_leg, recording


def damage(folder: Path, where: bytes) -> None:
    """Change a bit of the only segment."""
    [segment] = folder.glob("*.spool")
    content = bytearray(segment.read_bytes())
    content[content.index(where)] ^= 1
    segment.write_bytes(content)


async def test_calls_and_finals_are_stored_as_they_were_published(database: Database, tmp_path: Path) -> None:
    async with recording(database, tmp_path) as made:
        made.call("a", state=CallState.PARKED, legs=[make_leg("leg-a", parked=True)])
        made.say("a", 1, 2, 3)
        made.say("a", 0, final=False, utterance_id="interim")
        await made.settle()
        row = await made.row("a")
        assert row is not None
        assert (row.state, row.caller_name, row.disposition) == ("parked", "홍길동", None)
        assert (row.legs[0].leg_id, row.legs[0].state, row.legs[0].parked) == ("leg-a", "answered", True)
        assert await made.stored("a") == finals("a", 1, 3)
        ended: dict[str, Any] = {
            "state": CallState.ENDED,
            "ended_at": 1_700_000_060.0,
            "hangup_cause": "NORMAL_CLEARING",
        }
        leg = make_leg("leg-a", state=LegState.ENDED, ended_at=1_700_000_060.0, hangup_cause="NORMAL_CLEARING")
        made.call("a", disposition=Disposition.ANSWERED, legs=[leg], **ended)
        await made.settle()
        row = await made.row("a")
        assert row is not None
        assert (row.state, row.ended_at, row.disposition) == ("ended", 1_700_000_060.0, "answered")
        part = made.recorder.condition()
        assert (part.condition, part.detail, part.numbers["waiting"]) == (Condition.OK, "", 0)


async def test_a_call_is_stored_as_it_stood_when_it_was_published(database: Database, tmp_path: Path) -> None:
    """The registry goes on changing the object it published."""
    async with recording(database, tmp_path) as made:
        call = make_call("a", code="then")
        made.hub.publish(CallChanged(call))
        call.code, call.legs[0].code = "now", "now"
        call.legs.append(make_leg("another"))
        await made.settle()
        row = await made.row("a")
        assert row is not None
        assert (row.code, [leg.code for leg in row.legs]) == ("then", ["dev-app"])


async def test_an_utterance_keeps_every_field(database: Database, tmp_path: Path) -> None:
    async with recording(database, tmp_path) as made:
        expected = utterance_row("a", 1, start=None, end=None, text="여러 줄\n그리고 🙂")
        made.say(
            "a",
            1,
            utterance_id=expected.utterance_id,
            said_at=expected.said_at,
            text=expected.text,
            start=None,
            end=None,
        )
        await made.settle()
        async with database.read() as connection:
            assert await utterances_of(connection, "a") == [expected]


async def test_nothing_is_left_on_the_disk_once_it_is_stored(database: Database, tmp_path: Path) -> None:
    async with recording(database, tmp_path / "spool") as made:
        for seq in range(1, 200):
            made.say("a", seq)
            if seq % 50 == 0:
                await made.settle()
        await made.settle()
    left = {path.name: path.stat().st_size for path in (tmp_path / "spool").iterdir() if path.suffix == ".spool"}
    assert list(left.values()) == [8]


async def test_publishing_waits_for_nothing(database: Database, tmp_path: Path) -> None:
    """All of it is published within one turn of the loop: nothing else can have run."""
    async with recording(database, tmp_path) as made:
        for number in range(20):
            made.call(f"call-{number}")
        for seq in range(1, 301):
            for number in range(20):
                made.say(f"call-{number}", seq)
        assert made.number("waiting") == 20 + 6000
        await made.settle()
        for number in range(20):
            assert await made.stored(f"call-{number}") == finals(f"call-{number}", 1, 300)


async def test_text_that_databases_refuse_is_made_storable(database: Database, tmp_path: Path) -> None:
    async with recording(database, tmp_path) as made:
        made.call("a", caller_name="\0\ud83d\ude42\ud800" + "긴" * 5000, caller="9" * 5000)
        made.say("a", 1, text="앞\0뒤 \ud83d\ude42 \udc00")
        await made.settle()
        row = await made.row("a")
        assert row is not None
        assert row.caller_name[:3] == "\ufffd🙂\ufffd"
        assert row.caller == "9" * 256
        assert await made.stored("a") == ["a/1"]
        assert made.number("rejected") == 0


@pytest.mark.parametrize("bad", [0, 7, 36, 99])
async def test_one_bad_row_does_not_block_the_rest(database: Database, tmp_path: Path, bad: int) -> None:
    async with recording(database, tmp_path) as made:
        made.call("a")
        for number in range(100):
            if number == bad:
                made.say("b", 0, text="비밀스러운 말")
            made.say("a", number + 1)
        made.call("c", other_id="leg-a", merged_into="a", legs=[])
        await made.settle()
        assert await made.stored("a") == finals("a", 1, 100)
        assert await made.row("c") is None
        part = made.recorder.condition()
        assert part.numbers["rejected"] == 2
        assert part.numbers["stored"] == 101
        assert part.condition is Condition.OK
        assert "2 rows were refused" in part.detail
    letters = [json.loads(line) for line in (tmp_path / "rejected.jsonl").read_text().splitlines()]
    assert [letter["refused"]["type"] for letter in letters] == ["call", "utterance"]
    assert letters[1]["refused"]["row"]["text"] == "비밀스러운 말"
    assert (tmp_path / "rejected.jsonl").stat().st_mode & 0o777 == 0o600


async def test_a_seq_that_is_taken_costs_no_utterance(database: Database, tmp_path: Path) -> None:
    async with recording(database, tmp_path) as made:
        made.call("a")
        made.say("a", 1, 2)
        await made.settle()
        made.say("a", 2, utterance_id="another")
        made.say("a", 3)
        await made.settle()
        assert await made.stored("a") == ["a/1", "a/2", "another", "a/3"]
        assert made.number("resequenced") == 2
        assert made.number("rejected") == 0


async def test_rows_of_an_unknown_form_are_set_aside(database: Database, tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append([b"not a record"])
    spool.close()
    async with recording(database, tmp_path) as made:
        made.say("a", 1)
        await made.recorder.replayed()
        await made.settle()
        assert await made.stored("a") == ["a/1"]
        assert made.number("rejected") == 1
    (letter,) = [json.loads(line) for line in (tmp_path / "rejected.jsonl").read_text().splitlines()]
    assert letter["cause"].startswith("not readable")


async def test_what_was_left_behind_is_stored_first(database: Database, tmp_path: Path) -> None:
    unreachable = Database.of("postgresql://nobody@127.0.0.1:1/nothing")
    async with recording(unreachable, tmp_path) as away:
        away.call("a")
        away.say("a", *range(1, 1201))
        assert not await away.recorder.drain(0.2)
        assert away.number("waiting") == 1201
    await unreachable.close()
    async with recording(database, tmp_path) as made:
        made.say("a", 1201)
        await made.recorder.replayed()
        assert (await made.stored("a"))[:1200] == finals("a", 1, 1200)
        await made.settle()
        assert await made.stored("a") == finals("a", 1, 1201)
        assert await made.row("a") is not None


async def test_what_becomes_unreadable_in_the_spool_is_told_and_keeps_nobody_waiting(
    database: Database, tmp_path: Path
) -> None:
    unreachable = Database.of("postgresql://nobody@127.0.0.1:1/nothing")
    async with recording(unreachable, tmp_path) as away:
        away.say("a", *range(1, 11))
        assert not await away.recorder.drain(0.2)
    await unreachable.close()
    made = Recording(database, tmp_path)
    await made.recorder._open()
    damage(tmp_path, b"a/5")
    made.start()
    async with asyncio.timeout(60):
        await made.recorder.replayed()
    assert await made.stored("a") == finals("a", 1, 4)
    part = made.recorder.condition()
    assert part.numbers["unreadable"] == 6
    assert "6 rows became unreadable" in part.detail
    await made.stop()


async def test_replaying_what_is_stored_already_changes_nothing(database: Database, tmp_path: Path) -> None:
    for _ in range(3):
        async with recording(database, tmp_path) as made:
            made.call("a")
            made.say("a", *range(1, 50))
            await made.settle()
            assert await made.stored("a") == finals("a", 1, 49)
            assert made.number("resequenced") == 0


async def test_two_recorders_cannot_share_a_spool(database: Database, tmp_path: Path) -> None:
    async with recording(database, tmp_path) as made:
        await made.until((tmp_path / "lock").exists)
        other = Recorder(Hub(), database, RecorderConfig(), spool_dir=tmp_path, rekey=lambda *_: None)
        with pytest.raises(SpoolInUseError):
            await other.run()


async def test_stopping_keeps_what_was_published_last(database: Database, tmp_path: Path) -> None:
    for flush_interval in (0.02, 30.0):
        spool = tmp_path / str(flush_interval)
        call_id = f"call-{flush_interval}"
        async with recording(database, spool, flush_interval=flush_interval) as made:
            await asyncio.sleep(0)
            made.say(call_id, 1, 2, 3)
        async with recording(database, spool) as made:
            await made.settle()
            assert await made.stored(call_id) == finals(call_id, 1, 3)
