"""Several processes that open the same new SQLite file at the same moment: the service, and somebody's command."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

ROUNDS = 25 if os.environ.get("PARLEY_PROVE") == "1" else 3

UPGRADE = """
import asyncio, sys
from daemon.stores.database import Database

async def upgrade():
    database = Database.of(sys.argv[1])
    await database.upgrade()
    await database.close()

print("ready", flush=True)
sys.stdin.readline()
asyncio.run(upgrade())
"""


async def test_all_of_them_upgrade_it(tmp_path: Path) -> None:
    for number in range(ROUNDS):
        url = f"sqlite:///{tmp_path}/new-{number}.db"
        processes = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", UPGRADE, url),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            for _ in range(4)
        ]
        for process in processes:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
        outcomes = await asyncio.gather(*(process.communicate(b"\n") for process in processes))
        assert [process.returncode for process in processes] == [0] * 4, [error[-300:] for _, error in outcomes]
