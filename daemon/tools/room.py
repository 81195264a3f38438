"""The room as a whole: the configured tools by name, and the lookup of who is calling."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from daemon.config import InboundConfig, ToolConfig
from daemon.tools.definition import define
from daemon.tools.inbound import Inbound
from daemon.tools.request_keys import RecentKeys
from daemon.tools.tool import Outcome, Tool, ToolAnswer, spoken


class Tools:
    """``supplies`` is what the process has to give, by type. ``clock`` gives Unix seconds.

    Raises :class:`~daemon.plugins.PluginError` where a function cannot be loaded, or needs something that is not there.
    """

    def __init__(
        self,
        tools: Sequence[ToolConfig],
        inbound: InboundConfig,
        supplies: Mapping[type, object],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        keys = RecentKeys(clock)
        self._by_name = {config.name: Tool(define(config), supplies, keys) for config in tools}
        self.inbound = Inbound(inbound, supplies)
        self.unknown = 0
        """How often a tool was asked for that is not configured."""

    @property
    def all(self) -> list[Tool]:
        """In the order of the configuration."""
        return list(self._by_name.values())

    async def ask(self, name: str, given: bytes | Iterable[tuple[str, str]]) -> ToolAnswer:
        """What the tool of that name says to the JSON of a body, or to the pairs of a query."""
        tool = self._by_name.get(name)
        if tool is None:
            self.unknown += 1
            there = ", ".join(self._by_name) or "none"
            return spoken(Outcome.UNKNOWN, "There is no such tool.", f"There are: {there}.")
        return await tool.ask(given)

    async def close(self) -> None:
        """End what still runs, within a second or so."""
        await asyncio.gather(self.inbound.close(), *(tool.close() for tool in self._by_name.values()))
