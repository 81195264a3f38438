"""The room on a real store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest

from daemon.config import InboundConfig, ToolConfig
from daemon.stores.database import Database
from daemon.tools.room import Tools
from tests.daemon.tools.example_tools import Waiting

EXAMPLES = "tests.daemon.tools.example_tools"

Build = Callable[..., Tools]


def tool(name: str, **fields: Any) -> ToolConfig:
    """One of the examples."""
    return ToolConfig(name=name, use=f"{EXAMPLES}:{name}", **fields)


def lookup(name: str, **fields: Any) -> InboundConfig:
    """One of the examples."""
    return InboundConfig(use=f"{EXAMPLES}:{name}", **fields)


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


@pytest.fixture
async def build(database: Database, waiting: Waiting) -> AsyncIterator[Build]:
    """Makes rooms, on each engine in turn, and closes them."""
    made: list[Tools] = []

    def make(
        *tools: ToolConfig, inbound: InboundConfig | None = None, supplies: Mapping[type, object] | None = None
    ) -> Tools:
        given = {Database: database, Waiting: waiting, **(supplies or {})}
        room = Tools(tools, inbound or InboundConfig(), given, clock=lambda: 1_700_000_000.0)
        made.append(room)
        return room

    yield make
    for room in made:
        await room.close()
