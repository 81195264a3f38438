"""What is not done to a live call, as problems."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from daemon.callapps.intervention_errors import (
    InterventionError,
    NotAllowedError,
    NotLiveError,
    NotPossibleError,
    OutcomeUnknownError,
    SwitchAwayError,
    UnknownCallError,
    WrongInputError,
)
from web.problems import ProblemError

INTERVENTION_ERRORS = (404, 409, 422, 502, 503, 504)
"""The statuses that any of them may be answered with."""

_RETRY = {"Retry-After": "5"}


@contextmanager
def intervention_problems() -> Iterator[None]:
    """Turn the room's errors into problems."""
    try:
        yield
    except InterventionError as error:
        raise _problem(error) from error


def _problem(error: InterventionError) -> ProblemError:
    text = str(error)
    text = f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
    match error:
        case UnknownCallError():
            return ProblemError(404, "No such call", text)
        case NotLiveError():
            return ProblemError(409, "The call is over", text)
        case NotPossibleError():
            return ProblemError(409, "Not possible now", text)
        case NotAllowedError():
            return ProblemError(422, "Not allowed", text)
        case WrongInputError():
            return ProblemError(422, "Not understood", text)
        case SwitchAwayError():
            return ProblemError(503, "The switch is away", text, _RETRY)
        case OutcomeUnknownError():
            return ProblemError(504, "The switch did not answer", f"It may or may not have happened. {text}")
    return ProblemError(502, "The switch refused", text)
