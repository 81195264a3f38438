"""Which memory there is: of a Redis where one is configured, else of the store."""

from __future__ import annotations

from collections.abc import Callable

from daemon.chatbot.redis_memory import RedisMemory
from daemon.chatbot.store_memory import StoreMemory
from daemon.config import Config
from daemon.secrets import REDIS_PASSWORD, Secrets
from daemon.stores.database import Database


def build_memory(
    config: Config, secrets: Secrets, database: Database, *, clock: Callable[[], float]
) -> RedisMemory | StoreMemory:
    """The memory of ``config``. Both engines are to be ``run`` and closed, and have a ``condition``."""
    if config.redis.url:
        return RedisMemory(config.redis, password=secrets.get(REDIS_PASSWORD))
    return StoreMemory(database, clock=clock)
