"""Requests that wait for their answers, by ActionID: each ends exactly once, by an answer or by a named error."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from daemon.pbx.contract import PbxError
from protocols.dcmiws.frames import Frame
from protocols.pending import Pending


class Request:
    """Somebody waits for the answer to one action.

    ``is_list``: for everything up to the event that says the list is complete; else for one frame.
    """

    def __init__(self, *, is_list: bool = False) -> None:
        self.answer: asyncio.Future[list[Frame]] = asyncio.get_running_loop().create_future()
        self.is_list = is_list
        self.frames: list[Frame] = []

    def take(self, frame: Frame) -> bool:
        """Take in a frame of the answer; whether that was the last."""
        self.frames.append(frame)
        listing = frame.get("EventList").lower()
        if not self.is_list or (listing == "" and frame.get("Response")) or listing in ("complete", "cancelled"):
            if not self.answer.done():
                self.answer.set_result(self.frames)
            return True
        return False

    def fail(self, error: PbxError) -> None:
        """There will be no answer."""
        if not self.answer.done():
            self.answer.set_exception(error)
            # Who waited may be gone; that is then nobody's error.
            self.answer.exception()


class Requests:
    """All that wait. ``late`` makes the error of one whose time is over."""

    def __init__(self, late: Callable[[], PbxError]) -> None:
        self._pending: Pending[str, Request] = Pending()
        self.late = late
        self._timer: asyncio.Handle | None = None
        self._expires_at = 0.0
        self.answered = 0
        self.timed_out = 0

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def unmatched(self) -> int:
        """Answers to requests of ours that nobody waited for any more."""
        return self._pending.unmatched

    def add(self, action_id: str, request: Request, within: float) -> None:
        """Let ``request`` wait for ``within`` seconds."""
        loop = asyncio.get_running_loop()
        self._pending.add(action_id, request, loop.time() + within)
        self._watch()

    def take(self, action_id: str, frame: Frame) -> None:
        """A frame of the answer to that action came."""
        request = self._pending.get(action_id)
        if request is None:
            self._pending.resolve(action_id)  # counted there
        elif request.take(frame):
            self._pending.resolve(action_id)
            self.answered += 1

    def waits(self, action_id: str) -> bool:
        """Whether somebody waits for that answer."""
        return action_id in self._pending

    def forget(self, action_id: str) -> None:
        """Who waited has gone."""
        if action_id in self._pending:
            self._pending.resolve(action_id)

    def fail_all(self, make: Callable[[], PbxError]) -> None:
        """None of them will be answered."""
        for _, request in self._pending.drain():
            request.fail(make())

    def _watch(self) -> None:
        """One timer, for the earliest deadline."""
        deadline = self._pending.next_deadline()
        if deadline is None:
            return
        if self._timer is not None:
            if self._expires_at <= deadline:
                return
            self._timer.cancel()
        # The handle is not asked when it is due: uvloop's of a time that is over does not know.
        self._expires_at = deadline
        self._timer = asyncio.get_running_loop().call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None
        for _, request in self._pending.expire(asyncio.get_running_loop().time()):
            self.timed_out += 1
            request.fail(self.late())
        self._watch()
