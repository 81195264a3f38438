"""The memory of several Parleys on one Redis.

Redis expires what has its time by itself. What is asked of it may be asked twice without harm, so a connection that
broke is made anew once; a server that does not answer in time is asked again by nobody but who retries the whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Final, TypeVar

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from daemon.chatbot.contract import MemoryAwayError
from daemon.chatbot.leases import Leases
from daemon.config import RedisConfig
from daemon.health import Condition, Part

log = structlog.get_logger(__name__)

_PING_INTERVAL: Final = 5.0

# A lease whose answer was lost on the way is ours all the same: it is known by its holder.
_TAKE: Final = """\
local holder = redis.call('get', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[1], 'px', ARGV[2])
return 1
"""
_GIVE_BACK: Final = """\
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0
"""

Result = TypeVar("Result")


class RedisMemory:
    """Implements :class:`~daemon.chatbot.contract.Memory`. Nothing connects before the first use."""

    def __init__(self, config: RedisConfig, *, password: str | None = None) -> None:
        options: dict[str, Any] = {"ssl_ca_certs": config.ca_file} if config.ca_file else {}
        if password is not None:
            options["password"] = password
        self._redis = Redis.from_url(
            config.url,
            # The client's own time limits lose a cancellation now and then, with the wait_for of Python 3.11.
            socket_timeout=None,
            socket_connect_timeout=None,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
            **options,
        )
        self._prefix = config.prefix
        self._timeout = config.timeout
        self._problem: str | None = None
        self._leases = Leases(self._take, self._give_back)

    async def run(self) -> None:
        """See whether Redis is there, now and then, until cancelled."""
        while True:
            with suppress(MemoryAwayError):  # which was noted, and logged once
                await self.get("")
            await asyncio.sleep(_PING_INTERVAL)

    async def close(self) -> None:
        """Close every connection."""
        await self._redis.aclose()

    async def get(self, key: str) -> bytes | None:
        """As the contract says."""
        value = await self._asked(self._redis.get(self._prefix + key))
        return None if value is None else bytes(value)

    async def set(self, key: str, value: bytes, *, expires_in: float | None = None) -> None:
        """As the contract says."""
        await self._asked(self._redis.set(self._prefix + key, value, px=_milliseconds(expires_in)))

    async def delete(self, key: str) -> None:
        """As the contract says."""
        await self._asked(self._redis.delete(self._prefix + key))

    def lock(self, key: str, *, lease: float) -> AbstractAsyncContextManager[None]:
        """As the contract says."""
        return self._leases.held(key, lease)

    def condition(self) -> Part:
        """Whether Redis has answered when it was last asked."""
        if self._problem is None:
            return Part(Condition.OK, "in Redis")
        return Part(Condition.DEGRADED, f"Redis is away, what people write waits: {self._problem}")

    async def _take(self, key: str, holder: str, lease: float) -> bool:
        taken = self._redis.eval(_TAKE, 1, self._lock(key), holder, str(_milliseconds(lease)))
        return bool(await self._asked(taken))  # type: ignore[arg-type]

    async def _give_back(self, key: str, holder: str) -> None:
        await self._asked(self._redis.eval(_GIVE_BACK, 1, self._lock(key), holder))  # type: ignore[arg-type]

    def _lock(self, key: str) -> str:
        return f"{self._prefix}lock:{key}"

    async def _asked(self, answer: Awaitable[Result]) -> Result:
        try:
            async with asyncio.timeout(self._timeout):
                result = await answer
        except TimeoutError as error:
            raise self._away(f"no answer within {self._timeout:g} s") from error
        except (RedisError, OSError) as error:
            raise self._away(f"{type(error).__name__}: {error}") from error
        if self._problem is not None:
            log.info("memory_back")
        self._problem = None
        return result

    def _away(self, problem: str) -> MemoryAwayError:
        if self._problem is None:
            log.warning("memory_away", error=problem)
        self._problem = problem
        return MemoryAwayError(problem)


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else max(1, round(seconds * 1000))
