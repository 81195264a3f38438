"""The directory within all of Parley."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

from daemon.config import DirectoryConfig, ElasticsearchConfig
from daemon.directory.contract import Directory, Entry
from daemon.health import Condition, Part
from daemon.stores.directory_entries import save_directory_entries
from tests.daemon.running_service import RunningService


async def test_plugins_are_given_a_directory_that_follows_the_store(tmp_path: Path) -> None:
    running = RunningService(tmp_path, None)
    running.config.directory.refresh_interval = 0.02
    async with running:
        service = running.service
        hong = Entry(entry_id="person:1", kind="person", name="홍길동", number="2001")
        async with service.rooms.database.transaction() as connection:
            await save_directory_entries(connection, [hong])
        async with asyncio.timeout(60):
            while service.rooms.health.report().parts["directory"].numbers["entries"] < 1:  # noqa: ASYNC110 - who follows tells nobody
                await asyncio.sleep(0.01)
        directory = cast("Directory", service.rooms.supplies[Directory])
        [match] = await directory.search("홍긹동 씨 좀 바꿔 주세요")
        assert match.entry == hong
        assert service.rooms.health.report().parts["directory"].numbers == {"entries": 1.0}


async def test_elasticsearch_is_a_part_of_health(tmp_path: Path, elasticsearch: ElasticsearchConfig) -> None:
    config = DirectoryConfig(refresh_interval=0.02, elasticsearch=elasticsearch)
    async with RunningService(tmp_path, None, directory=config) as running:
        service = running.service

        def part() -> Part:
            return service.rooms.health.report().parts["directory:elasticsearch"]

        async with asyncio.timeout(60):
            while part().detail:  # noqa: ASYNC110 - who follows tells nobody
                await asyncio.sleep(0.01)
        assert part() == Part(Condition.OK, "", {"revision": 0.0})
        directory = cast("Directory", service.rooms.supplies[Directory])
        assert await directory.search("홍길동") == []
