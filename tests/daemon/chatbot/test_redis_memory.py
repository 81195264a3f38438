"""A Redis that is away, hangs, comes back, wants a password, or speaks TLS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import trustme

from daemon.chatbot.contract import MemoryAwayError
from daemon.chatbot.redis_memory import RedisMemory
from daemon.config import RedisConfig
from daemon.health import Condition
from tests.services.redis import RedisServer


@asynccontextmanager
async def memory_of(url: str, password: str | None = None, **fields: Any) -> AsyncIterator[RedisMemory]:
    made = RedisMemory(RedisConfig(url=url, **fields), password=password)
    try:
        yield made
    finally:
        await made.close()


async def test_one_that_is_killed_is_away_until_it_is_back(redis_server: RedisServer) -> None:
    async with memory_of(redis_server.url()) as memory:
        await memory.set("a", b"1")
        assert memory.condition().condition is Condition.OK
        redis_server.kill()
        for _ in range(2):
            with pytest.raises(MemoryAwayError):
                await memory.get("a")
        assert memory.condition().condition is Condition.DEGRADED
        redis_server.start()
        assert await memory.get("a") is None
        assert memory.condition().condition is Condition.OK


async def test_a_restart_between_two_questions_is_not_noticed(redis_server: RedisServer) -> None:
    async with memory_of(redis_server.url()) as memory:
        await memory.set("a", b"1")
        redis_server.kill()
        redis_server.start()
        await memory.set("a", b"2")
        assert await memory.get("a") == b"2"
        async with memory.lock("k", lease=30.0):
            redis_server.kill()
            redis_server.start()


async def test_one_that_hangs_is_away(redis_server: RedisServer) -> None:
    async with memory_of(redis_server.url()) as patient:
        await patient.set("a", b"1")
    async with memory_of(redis_server.url(), timeout=0.2) as memory:
        redis_server.pause()
        with pytest.raises(MemoryAwayError, match="no answer within"):
            await memory.get("a")
        with pytest.raises(MemoryAwayError):
            async with memory.lock("k", lease=1.0):
                pass
        redis_server.resume()
        async with asyncio.timeout(30):
            while memory.condition().condition is not Condition.OK:
                with suppress(MemoryAwayError):
                    assert await memory.get("a") == b"1"


async def test_who_stops_waiting_leaves_no_answer_for_the_next(redis_server: RedisServer) -> None:
    async with memory_of(redis_server.url(), timeout=30.0) as memory:
        await memory.set("a", b"1")
        await memory.set("b", b"2")
        redis_server.pause()
        asking = asyncio.create_task(memory.get("a"))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        redis_server.resume()
        assert await memory.get("b") == b"2"


async def test_health_follows_by_itself(redis_server: RedisServer) -> None:
    redis_server.kill()
    async with memory_of(redis_server.url()) as memory:
        watching = asyncio.create_task(memory.run())
        async with asyncio.timeout(30):
            while memory.condition().condition is not Condition.DEGRADED:  # noqa: ASYNC110 - health is asked
                await asyncio.sleep(0.01)
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching


async def test_a_full_one_is_away() -> None:
    server = RedisServer("--maxmemory", "1mb", "--maxmemory-policy", "noeviction")
    await asyncio.to_thread(server.start)
    try:
        async with memory_of(server.url()) as memory:
            with pytest.raises(MemoryAwayError, match="OutOfMemory"):
                await asyncio.gather(*(memory.set(f"{number}", bytes(100_000)) for number in range(100)))
    finally:
        server.remove()


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[tuple[RedisServer, Path]]:
    """One that speaks TLS and wants a password, and the authority to trust."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    server = RedisServer("--requirepass", "example-pw", tls=(tmp_path / "server.pem", tmp_path / "server.pem"))
    server.start()
    yield server, tmp_path / "authority.pem"
    server.remove()


async def test_by_tls_and_with_a_password(secured: tuple[RedisServer, Path]) -> None:
    server, authority = secured
    async with memory_of(server.url(), "example-pw", ca_file=str(authority)) as memory:
        await memory.set("a", b"1")
        assert await memory.get("a") == b"1"
    async with memory_of(server.url(), "wrong-pw", ca_file=str(authority)) as memory:
        with pytest.raises(MemoryAwayError) as raised:
            await memory.get("a")
        assert "wrong-pw" not in str(raised.value) + memory.condition().detail
    async with memory_of(server.url(), "example-pw") as memory:
        with pytest.raises(MemoryAwayError):
            await memory.get("a")
