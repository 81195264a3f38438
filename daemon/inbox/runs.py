"""One attempt at a delivery: its handlers run side by side, and what their ends mean for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import structlog

from daemon.inbox.contract import Delivery, PermanentError, PostponedError, RetryLaterError
from daemon.inbox.handlers import Handlers, NamedHandler, is_own
from daemon.inbox.retries import Retries
from daemon.stores.delivery_work import ClaimedRow, DeliveryState, RunOutcome, RunRow, WorkedRow

log = structlog.get_logger(__name__)

_ERROR_LENGTH: Final = 500


def done_by_uncounted(done_by: str) -> str:
    """What is stored of the handlers that need not run again, after an attempt that does not count."""
    return _Ended.since(0, done_by).text(postponed=True)


class Worked(msgspec.Struct, frozen=True, gc=False):
    """What became of a delivery, and the runs that made it so."""

    row: WorkedRow
    runs: Sequence[RunRow]

    @property
    def key(self) -> tuple[str, int]:
        """Which attempt at which delivery it was."""
        return self.row.delivery_id, self.row.attempt


class Runner:
    """Runs handlers. ``clock`` gives Unix seconds."""

    def __init__(self, handlers: Handlers, retries: Retries, clock: Callable[[], float]) -> None:
        self._handlers = handlers
        self._retries = retries
        self._clock = clock
        self.is_stopping: Callable[[], bool] = lambda: False
        """Whether handlers are being cancelled from outside."""

    async def work(self, claimed: ClaimedRow) -> Worked:
        """Let the handlers that have neither succeeded nor refused yet have a try at it."""
        ended = _Ended.of(claimed, self._retries.attempts)
        handlers = self._handlers.of(claimed.source, claimed.event)
        if not handlers and (claimed.failing_since is not None or is_own(claimed.source)):
            # Somebody meant it to be worked on: one of several Parleys that is not configured anew yet may have claimed
            # what another put in, or its handler is gone for good. It must not pass for done.
            return self._orphaned(claimed)
        open_ones = [one for one in handlers if one.name not in ended.names]
        runs: list[_Run] = []
        if open_ones:
            headers = {name.lower(): value for name, value in msgspec.json.decode(claimed.headers)}
            attempts = [_Run(one, _delivery(claimed, headers, one), self._clock, self.is_stopping) for one in open_ones]
            runs = (
                [await attempts[0].run()] if len(attempts) == 1 else await asyncio.gather(*(a.run() for a in attempts))
            )
        for run in runs:
            if run.counts_in_the_end and self._was_put_off(claimed):
                run.postponed = False
            ended.note(run, claimed.attempts)
        return Worked(self._judge(claimed, runs, ended), [run.row(claimed) for run in runs if not run.postponed])

    def _orphaned(self, claimed: ClaimedRow) -> Worked:
        now = self._clock()
        left = claimed.attempts_allowed - claimed.attempts
        row = WorkedRow(
            delivery_id=claimed.delivery_id,
            attempt=claimed.attempts,
            state=DeliveryState.PENDING if left > 0 else DeliveryState.DEAD,
            due_at=now + self._retries.delay(left) if left > 0 else None,
            failing_since=claimed.failing_since or now,
            finished_at=None if left > 0 else now,
            error="no handler of that source and event is configured",
            done_by=claimed.done_by,
        )
        return Worked(row, [])

    def _was_put_off(self, claimed: ClaimedRow) -> bool:
        """Whether it has been for as long as may be."""
        return claimed.failing_since is not None and self._clock() - claimed.failing_since >= self._retries.patience

    def _judge(self, claimed: ClaimedRow, runs: Sequence[_Run], ended: _Ended) -> WorkedRow:
        now = self._clock()
        failed = [run for run in runs if run.outcome is not RunOutcome.DONE]
        errors = [f"{run.handler.name}: {run.error}" for run in failed if run.outcome is not RunOutcome.REFUSED]
        error = "; ".join([*errors, *ended.refusals])[:_ERROR_LENGTH]
        # Whoever did not try is not to blame for an attempt; whoever did, and failed, is.
        postponed = bool(failed) and all(run.postponed for run in failed)
        left = claimed.attempts_allowed - claimed.attempts + postponed
        state = DeliveryState.DONE
        due_at: float | None = None
        finished_at: float | None = now
        if any(run.outcome is RunOutcome.FAILED for run in failed) and left > 0:
            asked = max((run.after for run in failed if run.after is not None), default=None)
            state, due_at, finished_at = DeliveryState.PENDING, now + self._retries.delay(left, asked), None
        elif error:
            state = DeliveryState.DEAD
        return WorkedRow(
            delivery_id=claimed.delivery_id,
            attempt=claimed.attempts,
            state=state,
            due_at=due_at,
            failing_since=(claimed.failing_since or now) if error else None,
            finished_at=finished_at,
            error=error,
            done_by=ended.text(postponed=postponed),
            postponed=int(postponed),
        )


class _Ended:
    """The handlers that need not run again: those that succeeded, and those that refused in this life of the delivery.

    It is stored as a JSON array of names; a refusal is ``!``, the attempt, and what it said, parted by blanks. The
    attempt is one more for each since that did not count: so far has the beginning of the life moved too.
    """

    def __init__(self, done: list[str], refused: list[tuple[int, str]]) -> None:
        self._done = done
        self._refused = refused

    @classmethod
    def of(cls, claimed: ClaimedRow, attempts: int) -> _Ended:
        """As it is stored. A replay begins a life of ``attempts`` more; what was refused before it may run again."""
        return cls.since(claimed.attempts_allowed - attempts, claimed.done_by)

    @classmethod
    def since(cls, born: int, done_by: str) -> _Ended:
        """Without what was refused before the attempt that follows ``born``."""
        entries = msgspec.json.decode(done_by, type=list[str])
        refused = []
        for entry in entries:
            mark, _, rest = entry.partition(" ")
            attempt, _, said = rest.partition(" ")
            if mark == "!" and int(attempt) > born:
                refused.append((int(attempt), said))
        return cls([entry for entry in entries if not entry.startswith("! ")], refused)

    @property
    def names(self) -> set[str]:
        """Of all of them."""
        return {*self._done, *(said.partition(":")[0] for _, said in self._refused)}

    @property
    def refusals(self) -> list[str]:
        """What those said that refused, each with its name."""
        return [said for _, said in self._refused]

    def note(self, run: _Run, attempt: int) -> None:
        """One more has run."""
        if run.outcome is RunOutcome.DONE:
            self._done.append(run.handler.name)
        elif run.outcome is RunOutcome.REFUSED:
            self._refused.append((attempt, f"{run.handler.name}: {run.error}"))

    def text(self, *, postponed: bool) -> str:
        """For the store; ``postponed``: the attempt does not count."""
        refused = [f"! {attempt + postponed} {said}" for attempt, said in self._refused]
        return msgspec.json.encode([*self._done, *refused]).decode()


class _Run:
    """One handler's try."""

    def __init__(
        self,
        handler: NamedHandler,
        delivery: Delivery,
        clock: Callable[[], float],
        is_stopping: Callable[[], bool],
    ) -> None:
        self._is_stopping = is_stopping
        self.handler = handler
        self.outcome = RunOutcome.DONE
        self.error = ""
        self.after: float | None = None
        self.postponed = False
        self.counts_in_the_end = False
        self._delivery = delivery
        self._clock = clock
        self._started_at = self._finished_at = 0.0

    async def run(self) -> _Run:
        self._started_at = self._clock()
        deadline = asyncio.timeout(self.handler.deadline)
        try:
            async with deadline:
                await self.handler.handle(self._delivery)
        except PermanentError as error:
            self._fail(str(error), RunOutcome.REFUSED)
        except RetryLaterError as error:
            self._fail(str(error))
            self.after = error.after
        except PostponedError as error:
            self._fail(str(error))
            self.after, self.postponed, self.counts_in_the_end = error.after, True, error.counts_in_the_end
        except TimeoutError as error:
            over = f"no end after {self.handler.deadline:g} s"
            self._fail(over if deadline.expired() else f"TimeoutError: {error}")
        except asyncio.CancelledError:
            if self._is_stopping():
                raise
            # Nobody else cancels it: what it did to its own task is undone, for the task is not its own.
            task = asyncio.current_task()
            while task is not None and task.cancelling():
                task.uncancel()
            self._fail("it cancelled itself")
        except (Exception, SystemExit) as error:
            # What it says may be of what was delivered: that is for the store, not for the log.
            log.warning("handler_failed", handler=self.handler.name, error=type(error).__name__)
            self._fail(f"{type(error).__name__}: {error}")
        self._finished_at = self._clock()
        return self

    def _fail(self, error: str, outcome: RunOutcome = RunOutcome.FAILED) -> None:
        self.outcome = outcome
        # What no engine can store in a text is not worth a delivery.
        self.error = error.replace("\0", "").encode(errors="replace").decode()[:_ERROR_LENGTH]

    def row(self, claimed: ClaimedRow) -> RunRow:
        return RunRow(
            delivery_id=claimed.delivery_id,
            attempt=claimed.attempts,
            handler=self.handler.name,
            started_at=self._started_at,
            finished_at=self._finished_at,
            outcome=self.outcome,
            error=self.error,
        )


def _delivery(claimed: ClaimedRow, headers: dict[str, str], handler: NamedHandler) -> Delivery:
    intent = f"/{claimed.replays}" if claimed.replays else ""
    return Delivery(
        delivery_id=claimed.delivery_id,
        source=claimed.source,
        event=claimed.event,
        other_id=claimed.other_id,
        key=claimed.order_key or "",
        received_at=claimed.received_at,
        attempt=claimed.attempts,
        idempotency_key=f"{claimed.delivery_id}{intent}/{handler.name}",
        address=claimed.address,
        redacted=claimed.redacted,
        headers=headers,
        body=claimed.body,
    )
