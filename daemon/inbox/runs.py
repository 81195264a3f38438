"""One attempt at a delivery: its handlers run side by side, and what their ends mean for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import structlog

from daemon.inbox.contract import Delivery, PermanentError, PostponedError, RetryLaterError
from daemon.inbox.handlers import Handlers, NamedHandler
from daemon.inbox.retries import Retries
from daemon.stores.delivery_work import ClaimedRow, DeliveryState, RunOutcome, RunRow, WorkedRow

log = structlog.get_logger(__name__)

_ERROR_LENGTH: Final = 500


class Worked(msgspec.Struct, frozen=True, gc=False):
    """What became of a delivery, and the runs that made it so."""

    row: WorkedRow
    runs: Sequence[RunRow]


class Runner:
    """Runs handlers. ``clock`` gives Unix seconds."""

    def __init__(self, handlers: Handlers, retries: Retries, clock: Callable[[], float]) -> None:
        self._handlers = handlers
        self._retries = retries
        self._clock = clock

    async def work(self, claimed: ClaimedRow) -> Worked:
        """Let the handlers that have not succeeded yet have a try at it."""
        done = msgspec.json.decode(claimed.done_by, type=list[str])
        open_ones = [one for one in self._handlers.of(claimed.source, claimed.event) if one.name not in done]
        runs: list[_Run] = []
        if open_ones:
            headers = {name.lower(): value for name, value in msgspec.json.decode(claimed.headers)}
            attempts = [_Run(one, _delivery(claimed, headers, one), self._clock) for one in open_ones]
            runs = (
                [await attempts[0].run()] if len(attempts) == 1 else await asyncio.gather(*(a.run() for a in attempts))
            )
        done += [run.handler.name for run in runs if run.outcome is RunOutcome.DONE]
        return Worked(self._judge(claimed, runs, done), [run.row(claimed) for run in runs if not run.postponed])

    def _judge(self, claimed: ClaimedRow, runs: Sequence[_Run], done: list[str]) -> WorkedRow:
        now = self._clock()
        failed = [run for run in runs if run.outcome is not RunOutcome.DONE]
        error = "; ".join(f"{run.handler.name}: {run.error}" for run in failed)[:_ERROR_LENGTH]
        # Whoever did not try is not to blame for an attempt; whoever did, and failed, is.
        postponed = bool(failed) and all(run.postponed for run in failed)
        left = claimed.attempts_allowed - claimed.attempts + postponed
        state = DeliveryState.DONE
        due_at: float | None = None
        finished_at: float | None = now
        if any(run.outcome is RunOutcome.FAILED for run in failed) and left > 0:
            asked = max((run.after for run in failed if run.after is not None), default=None)
            state, due_at, finished_at = DeliveryState.PENDING, now + self._retries.delay(left, asked), None
        elif failed:
            state = DeliveryState.DEAD
        return WorkedRow(
            delivery_id=claimed.delivery_id,
            attempt=claimed.attempts,
            state=state,
            due_at=due_at,
            failing_since=(claimed.failing_since or now) if failed else None,
            finished_at=finished_at,
            error=error,
            done_by=msgspec.json.encode(done).decode(),
            postponed=int(postponed),
        )


class _Run:
    """One handler's try."""

    def __init__(self, handler: NamedHandler, delivery: Delivery, clock: Callable[[], float]) -> None:
        self.handler = handler
        self.outcome = RunOutcome.DONE
        self.error = ""
        self.after: float | None = None
        self.postponed = False
        self._delivery = delivery
        self._clock = clock
        self._started_at = self._finished_at = 0.0

    async def run(self) -> _Run:
        self._started_at = self._clock()
        try:
            async with asyncio.timeout(self.handler.deadline):
                await self.handler.handle(self._delivery)
        except PermanentError as error:
            self._fail(str(error), RunOutcome.REFUSED)
        except RetryLaterError as error:
            self._fail(str(error))
            self.after = error.after
        except PostponedError as error:
            self._fail(str(error))
            self.after, self.postponed = error.after, True
        except TimeoutError as error:
            over = f"no end after {self.handler.deadline:g} s"
            self._fail(over if isinstance(error.__cause__, asyncio.CancelledError) else f"TimeoutError: {error}")
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
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
