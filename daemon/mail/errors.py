"""What can be wrong with sending mail. Every text may be shown to an admin; it may hold the mail server's own words,
and those may name addresses: none of it belongs into a log."""

from __future__ import annotations


class MailError(Exception):
    """The root of the errors of this room. ``summary`` says the same to anybody, without words of others."""

    summary = "mail cannot be sent"


class SettingsRefusedError(MailError):
    """What was given of the mail server cannot be; the text says why."""


class KeyMissingError(MailError):
    """There is no key to encrypt the password with."""


class NotReadyError(MailError):
    """Nobody has said how mail is sent, or what was said cannot be used; until it is mended letters wait."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.summary = text


class TryLaterError(MailError):
    """The mail server is away, or says that another try may succeed."""

    def __init__(self, text: str, summary: str) -> None:
        super().__init__(text)
        self.summary = summary


class RefusedError(MailError):
    """The mail server said no for good."""

    summary = "the mail server refused a letter"
