"""What an app does at this moment, for people who look at its call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from daemon.calls.call import AppState

_FIRST: Final = (AppState.SPEAKING, AppState.LISTENING, AppState.HOLDING)
"""Of what goes on at once, the first of these is told: a person's line may be said while the app listens."""


class Activity:
    """``tell`` is called with what it does, once for each change that outlives the turn of the loop it came in.

    So the moment between a prompt and the listening after it is none.
    """

    def __init__(self, tell: Callable[[AppState], None]) -> None:
        self._tell = tell
        self._told = AppState.STARTING
        self._going_on: list[AppState] = []
        self._holding = False
        self._begun = False
        self._due: asyncio.Handle | None = None
        self._closed = False

    @property
    def now(self) -> AppState:
        """What it does."""
        for state in _FIRST:
            if state in self._going_on:
                return state
        if self._holding:
            return AppState.HOLDING
        return AppState.WORKING if self._begun else AppState.STARTING

    @contextmanager
    def of(self, state: AppState) -> Iterator[None]:
        """It speaks, listens or lets its caller wait meanwhile."""
        self._going_on.append(state)
        self.begin()
        try:
            yield
        finally:
            self._going_on.remove(state)
            self._changed()

    def begin(self) -> None:
        """It has done something."""
        self._begun = True
        self._changed()

    def hold(self, on: bool) -> None:
        """The caller is on hold from now on, or no longer."""
        self._holding = on
        self.begin()

    def close(self) -> None:
        """Tell nothing more: its part is over."""
        self._closed = True
        if self._due is not None:
            self._due.cancel()

    def _changed(self) -> None:
        if self._due is None and not self._closed:
            self._due = asyncio.get_running_loop().call_soon(self._settled)

    def _settled(self) -> None:
        self._due = None
        if self.now is not self._told:
            self._told = self.now
            self._tell(self._told)
