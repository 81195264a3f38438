"""A few minutes of an inbox that does not exist, for pictures of the console."""

from __future__ import annotations

import json
import random
import time
from typing import Any

from daemon.demo.webhook_examples import Example, Examples
from daemon.stores.delivery_work import DeliveryState, RunOutcome
from tests.browser.served_inbox import ServedInbox
from web.inbox_payloads import (
    DeliveryPayload,
    HeaderPayload,
    InboxPayload,
    RunPayload,
    SourcePayload,
    WholeDeliveryPayload,
)

DEAD = "01a1fdb4-2e48-73ef-a1ff-000000000003"
"""The delivery with a history."""


def fill_inbox(inbox: ServedInbox) -> None:
    """Let it tell of deliveries of every kind."""
    now = time.time()
    examples = Examples(random.Random(3))
    several = [example for _ in range(4) for example in (examples.github(), *examples.voxai())]
    states = (
        _worked(DeliveryState.PENDING, 0),
        _worked(DeliveryState.WORKING, 1),
        _worked(DeliveryState.PENDING, 2, "forward-voxai: TimeoutError: no end after 30 s"),
        _worked(DeliveryState.DEAD, 4, "send-crm: HTTP 503"),
        _worked(DeliveryState.CANCELLED, 1, "keep-github: ValueError: 알 수 없는 이벤트입니다"),
    )
    done = _worked(DeliveryState.DONE, 1)
    inbox.deliveries = [
        _delivery(number, example, now - 4 - number * 11, **(states[number] if number < len(states) else done))
        for number, example in enumerate(several)
    ]
    inbox.figures = InboxPayload(
        sources=[
            _source("github", pending=3, accepted=1_204, doubles=2, refused={"wrong_signature": 1}),
            _source("voxai", pending=1, accepted=8_311, doubles=14, refused={"stale_timestamp": 3, "too_fast": 20}),
            _source("to:crm", pending=12, dead=1, oldest_pending_at=now - 95, accepted=8_311),
            _source("parley"),
        ],
        waiting=0,
        running=2,
        attempts=17_830,
        finished=17_810,
        died=1,
        counted_at=now - 4,
        problem="",
    )


def _source(name: str, **known: Any) -> SourcePayload:
    fields: dict[str, Any] = {
        "pending": 0,
        "working": 0,
        "dead": 0,
        "cancelled": 0,
        "oldest_pending_at": None,
        "accepted": 0,
        "doubles": 0,
        "refused": {},
    }
    return SourcePayload(source=name, **(fields | known))


def _worked(state: DeliveryState, attempts: int, error: str = "") -> dict[str, Any]:
    return {"state": state, "attempts": attempts, "error": error}


def _delivery(number: int, example: Example, at: float, **worked: Any) -> WholeDeliveryPayload:
    event = example.headers.get("X-GitHub-Event") or json.loads(example.body)["event"]
    ended = worked["state"] in (DeliveryState.DONE, DeliveryState.DEAD, DeliveryState.CANCELLED)
    handler, _, error = worked["error"].partition(": ")
    runs = [
        RunPayload(
            attempt=attempt,
            handler=handler or "keep-github",
            started_at=at + attempt * 2,
            finished_at=at + attempt * 2 + 0.034,
            outcome=RunOutcome.FAILED if error else RunOutcome.DONE,
            error=error,
        )
        for attempt in range(1, worked["attempts"] + 1)
    ]
    return WholeDeliveryPayload(
        delivery=DeliveryPayload(
            delivery_id=f"01a1fdb4-2e48-73ef-a1ff-{number:012}",
            source=example.source,
            event=event,
            other_id=example.headers.get("X-GitHub-Delivery", f"call-example:{event}"),
            key="example/counsel-flows" if example.source == "github" else "call-example",
            received_at=at,
            due_at=time.time() + 25,
            attempts_allowed=4,
            replays=0,
            finished_at=at + 12 if ended else None,
            redacted=False,
            size=len(example.body),
            **worked,
        ),
        address="192.0.2.10",
        headers=[
            HeaderPayload("Host", "parley.example.com"),
            HeaderPayload("Content-Type", "application/json"),
            HeaderPayload("Authorization", "***"),
            *(HeaderPayload(name, value) for name, value in example.headers.items()),
        ],
        body=example.body.decode(),
        body_as="text",
        runs=runs,
    )
