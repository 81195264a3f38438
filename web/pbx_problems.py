"""What the PBX does not do, as problems."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from daemon.pbx.contract import (
    Conflict,
    EntryNotFound,
    PbxError,
    PbxRefused,
    PbxTimeout,
    PbxUnavailable,
    TooManyCalls,
    UnknownTenant,
    UsageError,
)
from daemon.pbx.room import Pbx
from web.problems import ProblemError

PBX_ERRORS = (404, 422, 502, 503, 504)
"""The statuses that any request to the PBX may be answered with."""

_RETRY = {"Retry-After": "5"}


def configured(pbx: Pbx | None) -> Pbx:
    """The room. Raises a problem 404 where there is none."""
    if pbx is None:
        raise ProblemError(404, "No PBX", "None is configured: see [pbx] in the configuration.")
    return pbx


@contextmanager
def pbx_problems() -> Iterator[None]:
    """Turn the room's errors into problems."""
    try:
        yield
    except PbxError as error:
        raise _problem(error) from error


def _problem(error: PbxError) -> ProblemError:
    text = _sentence(str(error))
    match error:
        case UnknownTenant() | EntryNotFound():
            return ProblemError(404, "Not found on the PBX", text)
        case UsageError():
            return ProblemError(422, "Not possible", text)
        case Conflict():
            return ProblemError(412, "Changed meanwhile", text)
        case TooManyCalls():
            return ProblemError(429, "Too many calls", text, {"Retry-After": str(max(1, round(error.retry_after)))})
        case PbxUnavailable():
            return ProblemError(503, "The PBX is away", text, _RETRY)
        case PbxTimeout():
            return ProblemError(504, "The PBX did not answer", text)
        case PbxRefused():
            return ProblemError(502, "The PBX refused", text)
    return ProblemError(502, "The PBX failed", text)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
