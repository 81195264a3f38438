"""What stands of an app in the record of its call."""

from __future__ import annotations

from collections.abc import Callable

from daemon.calls.call import AppState
from daemon.calls.registry import LegKey, Registry


class Record:
    """The record of whatever call the leg ``key`` belongs to.

    An app that sent its caller on may end when the next one has begun already. From then on ``is_ours`` is false, and
    nothing of it is written any more.
    """

    def __init__(self, registry: Registry, key: LegKey, *, is_ours: Callable[[], bool]) -> None:
        self._registry = registry
        self._key = key
        self._is_ours = is_ours

    def tell(self, app: str, outcome: str, *, state: AppState, ending: str) -> None:
        """The name of the app, how it went, what it does and why it is over; ``""`` for what is not known yet."""
        if self._is_ours():
            self._registry.tell_app(self._key, app, outcome, state=state, ending=ending)

    def tell_state(self, state: AppState) -> None:
        """What it does at this moment."""
        if self._is_ours():
            self._registry.tell_app_state(self._key, state)
