"""Why something asked for a live call was not done. Every text may be shown to the person who asked."""

from __future__ import annotations


class InterventionError(Exception):
    """The root of them."""


class UnknownCallError(InterventionError):
    """There is no such call, neither live nor stored."""


class NotLiveError(InterventionError):
    """The call is over, or became part of another."""


class NotPossibleError(InterventionError):
    """The call is live, and this cannot be done to it as it stands."""


class WrongInputError(InterventionError):
    """What was given cannot be used, whatever the call."""


class NotAllowedError(InterventionError):
    """The configuration does not let people do that."""


class SwitchAwayError(InterventionError):
    """The switch could not be told. Nothing was done; it may be tried again."""


class SwitchRefusedError(InterventionError):
    """The switch answered that it will not."""


class OutcomeUnknownError(InterventionError):
    """The switch was told and did not answer: it may or may not have happened."""
