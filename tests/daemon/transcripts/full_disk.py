"""A process whose disk is full, really: it runs in a mount namespace of its own, on a small tmpfs.

``python full_disk.py beside DISK DATABASE_URL``: the database is elsewhere and well, or out of order for a while.
``python full_disk.py same DISK``: the database is SQLite on the same full disk.
Each step asserts what must be so; the exit status says whether it was.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import structlog
import uvloop

from daemon.health import Condition, Part
from daemon.stores.database import Database
from tests.daemon.transcripts.recording import Recording, finals, out_of_order, recording


class Filler:
    """Takes all the room there is on a disk, and gives it back."""

    def __init__(self, disk: Path) -> None:
        self._path = disk / "filler"

    def fill(self) -> None:
        with self._path.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(512))
            except OSError:
                return

    def free(self) -> None:
        self._path.unlink()


async def until_condition(made: Recording, condition: Condition) -> Part:
    await made.until(lambda: made.recorder.condition().condition is condition)
    return made.recorder.condition()


async def say_until_refused(made: Recording, call_id: str, first: int) -> int:
    """Say more, ten at a time, until the spool has no room; returns the last seq."""
    seq = first - 1
    while "No space left on device" not in made.recorder.condition().detail:
        made.say(call_id, *range(seq + 1, seq + 11))
        seq += 10
        await asyncio.sleep(0.03)
    return seq


async def beside(disk: Path, url: str) -> None:
    database, filler = Database.of(url), Filler(disk)
    async with recording(database, disk / "spool", memory_rows=100) as made:
        made.call("a")
        made.say("a", 1, 2, 3)
        await made.settle()
        filler.fill()
        # The database is well: what the spool refuses goes there directly. (A full disk still has the room that the
        # spool's file had before, so a few rows at a time may be spooled again.)
        last = await say_until_refused(made, "a", 4)
        await made.settle()
        assert await made.stored("a") == finals("a", 1, last)
        part = made.recorder.condition()
        assert (part.numbers["lost"], part.numbers["waiting"]) == (0, 0), part
        async with out_of_order(database):
            # Neither takes anything: memory holds a hundred rows and the rest is lost, counted and shown.
            made.say("a", *range(last + 1, last + 151))
            part = await until_condition(made, Condition.DOWN)
            assert (part.numbers["lost"], part.numbers["waiting"]) == (50, 100), part
            assert "50 rows were lost" in part.detail, part
            filler.free()
            await made.until(lambda: "No space" not in made.recorder.condition().detail)
            part = await until_condition(made, Condition.DEGRADED)
            assert part.numbers["waiting"] == 100, part
            assert (disk / "spool").is_dir()
        await made.settle()
        stored = await made.stored("a")
        assert stored == finals("a", 1, last + 100), stored[-3:]
        part = made.recorder.condition()
        assert (part.condition, part.detail) == (Condition.OK, "50 rows were lost"), part
    await database.close()


async def same(disk: Path) -> None:
    database, filler = Database.of(f"sqlite:///{disk}/parley.db"), Filler(disk)
    await database.upgrade()
    async with recording(database, disk / "spool") as made:
        made.call("a")
        made.say("a", 1, 2, 3)
        await made.settle()
        filler.fill()
        last = await say_until_refused(made, "a", 4)
        part = await until_condition(made, Condition.DOWN)
        assert "database or disk is full" in part.detail, part
        assert part.numbers["lost"] == 0, part
        made.say("a", *range(last + 1, last + 201))
        filler.free()
        await made.settle()
        assert await made.stored("a") == finals("a", 1, last + 200)
        assert made.recorder.condition().condition is Condition.OK
    await database.close()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    if sys.argv[1] == "beside":
        uvloop.run(beside(Path(sys.argv[2]), sys.argv[3]))
    else:
        uvloop.run(same(Path(sys.argv[2])))
