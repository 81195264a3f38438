"""SIGKILL: what was published more than 50 ms before it is in the spool or in the database, once and in order."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from daemon.stores.database import Database
from tests.daemon.transcripts import speaker
from tests.daemon.transcripts.recording import finals, recording

ROUNDS = 40 if os.environ.get("PARLEY_PROVE") else 1
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


def speak_until_killed(spool: Path, url: str, burst: int, safe_at_least: int) -> int:
    """Run the process until it has said enough, kill it, and return up to which seq nothing may be lost."""
    command = [sys.executable, str(speaker.__file__), str(spool), url, str(burst)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        safe = 0
        for line in process.stdout:
            safe = int(line)
            if safe >= safe_at_least:
                break
        process.kill()
        # What it had printed by then counts as well.
        for line in process.stdout:
            if line.endswith("\n"):
                safe = int(line)
    assert process.returncode == -9
    return safe


@pytest.mark.parametrize("burst", [1, 40], ids=["500 a second", "20,000 a second"])
@pytest.mark.parametrize("away", [False, True], ids=["database there", "database away"])
@pytest.mark.timeout(600)
async def test_a_kill_loses_at_most_the_last_moment(
    database: Database, database_url: str, tmp_path: Path, burst: int, away: bool
) -> None:
    url = NOWHERE if away else database_url
    for number in range(ROUNDS):
        spool = tmp_path / str(number)
        enough = random.randint(1, 300) * burst
        safe = await asyncio.to_thread(speak_until_killed, spool, url, burst, enough)
        async with recording(database, spool) as made:
            await made.recorder.replayed()
            await made.settle()
            stored = await made.stored("spoken")
            assert stored == finals("spoken", 1, len(stored))
            assert len(stored) >= safe >= enough
            assert await made.row("spoken") is not None
            assert made.number("rejected") == made.number("resequenced") == 0
        async with database.transaction() as connection:
            for table in ("legs", "calls", "utterances"):
                await connection.execute(text(f"DELETE FROM {table}"))
