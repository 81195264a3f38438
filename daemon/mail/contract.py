"""Mail as others see it: a letter is handed in, and goes out until it has gone."""

from __future__ import annotations

from typing import Final, Protocol

import msgspec

LONGEST_SUBJECT: Final = 500
"""Characters of a letter's subject."""


class LetterRefusedError(ValueError):
    """The letter is one that can never be sent; the text says why, without addresses."""


class Attachment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file that comes with a letter. ``content_type`` is as in RFC 2045, ``text/csv; charset=utf-8``."""

    name: str
    content_type: str
    content: bytes


class Letter(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A letter in plain text. ``to`` are e-mail addresses; without any it goes to the configured recipient.

    ``subject`` is one line of at most ``LONGEST_SUBJECT`` printable characters.
    """

    to: tuple[str, ...] = ()
    subject: str
    text: str
    attachments: tuple[Attachment, ...] = ()


class Mail(Protocol):
    """Sends letters."""

    async def send(self, letter: Letter, *, key: str) -> str:
        """Take ``letter`` for good; returns the id of its delivery when it is safe. ``key`` is what it is known by: of
        several letters of one key only the first goes out, with a Message-ID that is always the same.

        Raises :class:`LetterRefusedError`, ``InboxFullError``, and ``DatabaseAwayError`` and ``RowRefusedError`` of the
        store.
        """
