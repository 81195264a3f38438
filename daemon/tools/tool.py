"""A tool at work: arguments in, a JSON object out, and whatever goes wrong is one that an agent can speak about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec
import structlog

from daemon.actor import Actor
from daemon.pbx.contract import ClickToCall, Diversions, PbxError
from daemon.plugins import place_of
from daemon.tools.arguments import ArgumentsError
from daemon.tools.contract import Reach, RequestKeys, ToolError
from daemon.tools.definition import Definition
from daemon.tools.guards import GuardedClickToCall, GuardedDiversions
from daemon.tools.lane import BusyError, Lane

log = structlog.get_logger(__name__)

VIA: Final = "voxai"


class Outcome(StrEnum):
    """How asking a tool, or a lookup, ended."""

    ANSWERED = "answered"
    BAD_ARGUMENTS = "bad_arguments"
    REFUSED = "refused"
    """The tool itself, or what it used, said why not."""
    FAILED = "failed"
    LATE = "late"
    BUSY = "busy"
    POST_ONLY = "post_only"
    """It changes something and was asked by GET."""
    UNKNOWN = "unknown"


class ToolAnswer(msgspec.Struct, frozen=True):
    """``body`` is a JSON object: the tool's own, or ``{"error": …, "details": …}`` in words for the agent."""

    outcome: Outcome
    body: bytes


class Spoken(msgspec.Struct, frozen=True):
    """What the agent gets instead of an answer."""

    error: str
    details: str


def spoken(outcome: Outcome, error: str, details: str) -> ToolAnswer:
    """An answer that says why there is none."""
    return ToolAnswer(outcome, msgspec.json.encode(Spoken(error, details)))


class Tool:
    """``supplies`` are those of the process; of the PBX among them it gets what is in its reach.

    Raises :class:`~daemon.plugins.PluginError` where it asks for something else.
    """

    def __init__(self, definition: Definition, supplies: Mapping[type, object], keys: RequestKeys) -> None:
        config = definition.config
        self.definition = definition
        self.name = config.name
        self.counts = dict.fromkeys(Outcome, 0)
        """How often it was asked, by how that ended."""
        function = definition.plugin.bind(
            _own_supplies(definition, supplies, keys), taken=definition.plugin.arguments, options=config.options
        )
        self._lane = Lane(function, deadline=config.deadline, at_once=config.at_once)

    async def ask(self, given: bytes | Iterable[tuple[str, str]]) -> ToolAnswer:
        """Run it on the JSON of a body, or on the pairs of a query."""
        answer = await self._answer(given)
        self.counts[answer.outcome] += 1
        return answer

    async def close(self) -> None:
        """End what still runs."""
        await self._lane.close()

    async def _answer(self, given: bytes | Iterable[tuple[str, str]]) -> ToolAnswer:
        by_post = isinstance(given, bytes)
        if self.definition.acting and not by_post:
            return spoken(Outcome.POST_ONLY, "This tool changes something.", "Ask it by POST.")
        arguments = self.definition.arguments
        try:
            values = arguments.of_body(given) if isinstance(given, bytes) else arguments.of_query(given)
        except ArgumentsError as error:
            return spoken(Outcome.BAD_ARGUMENTS, "The arguments do not fit.", str(error))
        return await self._run(values)

    async def _run(self, values: dict[str, Any]) -> ToolAnswer:
        try:
            body = msgspec.json.encode(await self._lane.run(**values))
        except TimeoutError:
            # Of a tool's own patience, too, the agent need know no more.
            log.warning("tool_late", tool=self.name)
            doubt = "It may have happened all the same." if self.definition.acting else "Try again in a moment."
            return spoken(Outcome.LATE, "That took too long.", doubt)
        except BusyError:
            log.warning("tool_busy", tool=self.name)
            return spoken(Outcome.BUSY, "Too many ask for this at once.", "Try again in a moment.")
        except (ToolError, PbxError) as error:
            return spoken(Outcome.REFUSED, "That is not possible.", _sentence(str(error)))
        except Exception as error:
            return self._failed(type(error).__name__, place_of(error))
        if not body.startswith(b"{"):
            return self._failed("it returned no JSON object", "")
        return ToolAnswer(Outcome.ANSWERED, body)

    def _failed(self, error: str, at: str) -> ToolAnswer:
        """Logged without the error's text: what the caller said may stand in it."""
        log.warning("tool_failed", tool=self.name, error=error, at=at)
        return spoken(Outcome.FAILED, "That did not work.", "It is not the caller's fault. Try again later.")


def _own_supplies(definition: Definition, supplies: Mapping[type, object], keys: RequestKeys) -> dict[type, object]:
    config = definition.config
    actor = Actor(f"tool:{config.name}", VIA)
    reach = Reach(config.extensions, config.numbers)
    own = {**supplies, Actor: actor, Reach: reach, RequestKeys: keys}
    guards: dict[type, Callable[..., object]] = {Diversions: GuardedDiversions, ClickToCall: GuardedClickToCall}
    for contract, guard in guards.items():
        if contract in supplies:
            own[contract] = guard(supplies[contract], reach, actor, acting=definition.acting)
    return own


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?', '!')) else '.'}"
