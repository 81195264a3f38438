"""What REST takes and gives about a live call that somebody takes in hand."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from daemon.callapps.interventions import LONGEST_LINE
from daemon.calls.numbers import EXTENSION


class TransferWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the caller is sent; without ``extension``, to that of who asks."""

    extension: Annotated[str, Meta(pattern=rf"^{EXTENSION}\Z")] | None = None


class LineWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said to the caller. Line breaks are taken for blanks."""

    text: Annotated[str, Meta(min_length=1, max_length=LONGEST_LINE)]


class LinePayload(msgspec.Struct, frozen=True):
    """``said``: to its end. Else it waits for what is being said before it, or is being said."""

    call_id: str
    said: bool
