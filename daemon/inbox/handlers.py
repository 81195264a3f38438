"""Which handlers a delivery is for."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

import msgspec

from daemon.inbox.contract import OWN, Handler


class NamedHandler(msgspec.Struct, frozen=True, kw_only=True):
    """A handler of the deliveries whose source and event match the patterns (``*``, ``?``, ``[…]``).

    Patterns of sources are of providers: what Parley itself puts in, its own events and what goes to destinations, is
    for those who name its source in full.
    ``name`` is what its runs are stored under, and what is remembered of a success: unique, and not to be changed.
    ``deadline`` is in seconds.
    """

    name: str
    handle: Handler
    source: str
    event: str = "*"
    deadline: float = 30.0


class Handlers:
    """All of them, in order."""

    def __init__(self, handlers: Iterable[NamedHandler] = ()) -> None:
        self._all: dict[str, NamedHandler] = {}
        self._matching: dict[tuple[str, str], tuple[NamedHandler, ...]] = {}
        for handler in handlers:
            self.add(handler)

    def add(self, handler: NamedHandler) -> None:
        """One more. Raises ``ValueError`` for a name that is taken."""
        if handler.name in self._all:
            raise ValueError(f"there are two handlers {handler.name}")
        self._all[handler.name] = handler
        self._matching.clear()

    def of(self, source: str, event: str) -> tuple[NamedHandler, ...]:
        """Those for that source and event."""
        found = self._matching.get((source, event))
        if found is None:
            found = tuple(
                one for one in self._all.values() if _is_of(source, one.source) and fnmatchcase(event, one.event)
            )
            if len(self._matching) > 1_000:  # events come from outside: their names have no end
                self._matching.clear()
            self._matching[source, event] = found
        return found


def is_own(source: str) -> bool:
    """Whether Parley itself put in what is of that source."""
    return source == OWN or ":" in source


def _is_of(source: str, pattern: str) -> bool:
    return source == pattern if is_own(source) else fnmatchcase(source, pattern)
