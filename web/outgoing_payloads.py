"""What REST takes and gives about calls that Parley places. Numbers are as the account may see them; times are Unix
seconds."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from daemon.callapps.outgoing import OutgoingState


class OutgoingWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to call, and the app that is to lead the call. ``variables`` are for the app alone."""

    to: Annotated[str, Meta(min_length=1, max_length=40)]
    app: Annotated[str, Meta(min_length=1, max_length=40)]
    variables: Annotated[
        dict[Annotated[str, Meta(min_length=1, max_length=64)], Annotated[str, Meta(max_length=1000)]],
        Meta(max_length=50),
    ] = {}


class OutgoingCallPayload(msgspec.Struct, frozen=True):
    """A call that Parley places, and what came of it. ``call_id`` names it among all calls once it rings.

    ``cause``: why it did not come about, or how it ended. ``machine``: one has answered, as far as is known.
    """

    call_id: str
    actor: str
    app: str
    number: str
    server: str
    state: OutgoingState
    cause: str
    machine: bool
    created_at: float
    answered_at: float | None
    ended_at: float | None


class OutgoingCallsPayload(msgspec.Struct, frozen=True):
    """The newest, newest first."""

    outgoing_calls: list[OutgoingCallPayload]
