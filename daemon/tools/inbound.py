"""Who is calling: asked before an agent speaks, and answered in time whatever happens."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

import msgspec
import structlog

from daemon.config import InboundConfig
from daemon.pbx.contract import ClickToCall, Diversions
from daemon.plugins import Plugin, PluginError, load, place_of
from daemon.tools.contract import InboundAnswer
from daemon.tools.lane import BusyError, Lane
from daemon.tools.tool import Outcome

log = structlog.get_logger(__name__)

BUILT_IN: Final = MappingProxyType({"contacts": "daemon.tools.contact_lookup:lookup"})

_TAKEN: Final = frozenset({"from_number", "to_number"})
_AT_ONCE: Final = 50
_ACTING: Final = frozenset({Diversions, ClickToCall})
"""What a lookup is not given: it has no reach, and nobody asked it to do anything."""


def define_lookup(config: InboundConfig, supplied: Collection[type]) -> Plugin:
    """Load the lookup. Raises :class:`PluginError`, also where it needs something that is not of ``supplied``."""
    path = BUILT_IN.get(config.use, config.use)
    if ":" not in path:
        raise PluginError(
            f'there is no built-in lookup "{path}"', f"write package.module:name, or one of {', '.join(BUILT_IN)}"
        )
    plugin = load(path)
    plugin.check(frozenset(supplied) - _ACTING, taken=_TAKEN, options=config.options)
    return plugin


class Inbound:
    """The configured lookup. Raises :class:`PluginError` where it cannot be used."""

    def __init__(self, config: InboundConfig, supplies: Mapping[type, object]) -> None:
        own = {contract: supply for contract, supply in supplies.items() if contract not in _ACTING}
        plugin = define_lookup(config, own.keys())
        self._default = InboundAnswer(dynamic_variables=config.dynamic_variables, metadata=config.metadata)
        self._lane = Lane(
            plugin.bind(own, taken=_TAKEN, options=config.options), deadline=config.deadline, at_once=_AT_ONCE
        )
        self.counts = dict.fromkeys((Outcome.ANSWERED, Outcome.FAILED, Outcome.LATE, Outcome.BUSY), 0)
        """How often it was asked, by how that ended."""

    async def answer(self, from_number: str, to_number: str) -> InboundAnswer:
        """What the lookup knows over what the configuration says; only that where it fails or is late."""
        outcome, known = await self._look_up(from_number, to_number)
        self.counts[outcome] += 1
        return InboundAnswer(
            dynamic_variables=self._default.dynamic_variables | known.dynamic_variables,
            metadata=self._default.metadata | known.metadata,
        )

    def turned_away(self) -> InboundAnswer:
        """What one is told who asks too often."""
        self.counts[Outcome.BUSY] += 1
        return self._default

    async def close(self) -> None:
        """End what still runs."""
        await self._lane.close()

    async def _look_up(self, from_number: str, to_number: str) -> tuple[Outcome, InboundAnswer]:
        try:
            found = await self._lane.run(from_number=from_number, to_number=to_number)
            return Outcome.ANSWERED, msgspec.convert(msgspec.to_builtins(found), InboundAnswer)
        except (TimeoutError, BusyError) as error:
            outcome = Outcome.LATE if isinstance(error, TimeoutError) else Outcome.BUSY
            log.warning("inbound_lookup_late", outcome=outcome)
        except Exception as error:
            # Without its text: the number may stand in it.
            outcome = Outcome.FAILED
            log.warning("inbound_lookup_failed", error=type(error).__name__, at=place_of(error))
        return outcome, InboundAnswer()
