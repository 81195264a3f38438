"""The inbox over REST: deliveries, replays, and what stands. For admins: bodies hold what providers know of people."""

from __future__ import annotations

import base64
import time
from typing import Final

import msgspec

from daemon.inbox.room import InboxRoom
from daemon.stores.deliveries import DeliveryFilter, DeliveryRow, WholeDelivery, moment_of
from web.auth import Auth, Needs
from web.endpoint import JSON, Answer, Asked, Endpoint
from web.inbox_payloads import (
    DeliveriesPayload,
    DeliveriesQuery,
    DeliveryChoice,
    DeliveryPayload,
    HeaderPayload,
    InboxPayload,
    ReplaysPayload,
    ReplaysWish,
    RunPayload,
    SourcePayload,
    WholeDeliveryPayload,
)
from web.problems import ProblemError
from web.sources import Sources

_ID: Final = {"delivery_id": "The delivery's id."}
_ONE: Final = "/api/v1/inbox/deliveries/{delivery_id}"
_WEEK: Final = 604_800.0
_TIME: Final = 0.1
"""Seconds after which a page is given as it is: looking on is for the next one."""


class InboxRoutes:
    """All that is asked of the inbox."""

    def __init__(self, sources: Sources) -> None:
        self._inbox: InboxRoom = sources.inbox
        self._auth: Auth = sources.auth

    def endpoints(self) -> list[Endpoint]:
        """Its routes."""
        return [*self._looking(), *self._acting()]

    def _looking(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET",
                path="/api/v1/inbox",
                tag="inbox",
                summary="What stands in the inbox, by source",
                handler=self.overview,
                needs=Needs.ADMIN,
                answers=(Answer(200, "As it stands.", {JSON: InboxPayload}),),
            ),
            Endpoint(
                method="GET",
                path="/api/v1/inbox/deliveries",
                tag="inbox",
                summary="Deliveries, newest first",
                handler=self.page,
                needs=Needs.ADMIN,
                query=DeliveriesQuery,
                answers=(Answer(200, "A page of them.", {JSON: DeliveriesPayload}),),
            ),
            Endpoint(
                method="GET",
                path=_ONE,
                tag="inbox",
                summary="A delivery with headers, body and attempts",
                handler=self.one,
                needs=Needs.ADMIN,
                path_parameters=_ID,
                answers=(Answer(200, "All there is of it.", {JSON: WholeDeliveryPayload}),),
                errors=(404,),
            ),
        ]

    def _acting(self) -> list[Endpoint]:
        after = (Answer(200, "As it stands then.", {JSON: WholeDeliveryPayload}),)
        return [
            Endpoint(
                method="POST",
                path=f"{_ONE}/replay",
                tag="inbox",
                summary="Let a delivery that has ended be worked on again",
                handler=self.replay,
                needs=Needs.ADMIN,
                path_parameters=_ID,
                answers=after,
                errors=(404, 409),
            ),
            Endpoint(
                method="POST",
                path=f"{_ONE}/cancel",
                tag="inbox",
                summary="Let a delivery not be worked on any more",
                handler=self.cancel,
                needs=Needs.ADMIN,
                path_parameters=_ID,
                answers=after,
                errors=(404, 409),
            ),
            Endpoint(
                method="POST",
                path="/api/v1/inbox/replays",
                tag="inbox",
                summary="Count, or replay, many deliveries that have ended",
                handler=self.replay_many,
                needs=Needs.ADMIN,
                body=ReplaysWish,
                answers=(Answer(200, "How many.", {JSON: ReplaysPayload}),),
            ),
        ]

    async def overview(self, _: Asked[None, None]) -> InboxPayload:
        """What stands."""
        inbox = self._inbox
        counts = inbox.counts
        return InboxPayload(
            sources=[
                SourcePayload(
                    source=name,
                    pending=one.pending,
                    working=one.working,
                    dead=one.dead,
                    cancelled=one.cancelled,
                    oldest_pending_at=one.oldest_pending_at,
                    accepted=one.accepted,
                    doubles=one.doubles,
                    refused={reason: count for reason, count in one.refused.items() if count},
                )
                for name, one in counts.by_source().items()
            ],
            waiting=inbox.acceptor.waiting,
            running=inbox.worker.running,
            attempts=inbox.worker.attempts,
            finished=inbox.worker.finished,
            died=inbox.worker.died,
            counted_at=counts.counted_at,
            problem=inbox.acceptor.problem,
        )

    async def page(self, asked: Asked[DeliveriesQuery, None]) -> DeliveriesPayload:
        """A page, from as much of the store as can be looked at in a moment."""
        query = asked.query
        wanted = _filter(query)
        rows: list[DeliveryRow] = []
        before = query.before
        end = time.monotonic() + _TIME
        while True:
            page = await self._inbox.page(wanted, before=before, limit=query.limit - len(rows))
            rows += page.rows
            before = page.before
            if before is None or len(rows) == query.limit or time.monotonic() > end:
                break
        looked_back_to = None if before is None else moment_of(before)
        return DeliveriesPayload([_delivery(row) for row in rows], before, looked_back_to)

    async def one(self, asked: Asked[None, None]) -> WholeDeliveryPayload:
        """All there is of one."""
        return await self._whole(asked)

    async def replay(self, asked: Asked[None, None]) -> WholeDeliveryPayload:
        """One again."""
        done = await self._inbox.replaying.replay(asked.path("delivery_id"), actor=self._auth.actor(asked.request))
        after = await self._whole(asked)
        if not done:
            raise ProblemError(409, "Not replayed", "It has not ended yet: what has not is worked on anyway.")
        return after

    async def cancel(self, asked: Asked[None, None]) -> WholeDeliveryPayload:
        """One no more."""
        done = await self._inbox.replaying.cancel(asked.path("delivery_id"), actor=self._auth.actor(asked.request))
        after = await self._whole(asked)
        if not done:
            raise ProblemError(409, "Not cancelled", "It has ended already.")
        return after

    async def replay_many(self, asked: Asked[None, ReplaysWish]) -> ReplaysPayload:
        """Many again, or their count."""
        wish = asked.body
        wanted = _filter(wish)
        if wish.dry_run:
            done = await self._inbox.replaying.count(wanted)
        else:
            done = await self._inbox.replaying.replay_many(
                wanted, per_second=wish.per_second, actor=self._auth.actor(asked.request)
            )
        return ReplaysPayload(done.found, done.replayed, done.at_least)

    async def _whole(self, asked: Asked[None, None]) -> WholeDeliveryPayload:
        whole = await self._inbox.get(asked.path("delivery_id"))
        if whole is None:
            raise ProblemError(404, "Not found", "There is no such delivery.")
        return _whole(whole)


def _filter(choice: DeliveryChoice) -> DeliveryFilter:
    if choice.body is not None:
        since, until = choice.since, choice.until
        if since is None or until is None or not 0 <= until - since <= _WEEK:
            detail = "To look into bodies, give since and until, at most a week apart."
            raise ProblemError(422, "Too much to look at", detail)
    names = DeliveryFilter.__struct_fields__
    return DeliveryFilter(**{name: getattr(choice, name) for name in names})


def _delivery(row: DeliveryRow) -> DeliveryPayload:
    values = msgspec.structs.asdict(row)
    values["key"] = values.pop("order_key")
    return DeliveryPayload(**values)


def _whole(whole: WholeDelivery) -> WholeDeliveryPayload:
    try:
        body, body_as = whole.body.decode(), "text"
    except UnicodeDecodeError:
        body, body_as = base64.b64encode(whole.body).decode(), "base64"
    runs = [
        RunPayload(run.attempt, run.handler, run.started_at, run.finished_at, run.outcome, run.error)
        for run in whole.runs
    ]
    return WholeDeliveryPayload(
        delivery=_delivery(whole.row),
        address=whole.address,
        headers=[HeaderPayload(name, value) for name, value in whole.headers],
        body=body,
        body_as="text" if body_as == "text" else "base64",
        runs=runs,
    )
