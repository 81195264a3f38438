"""A letter as it is stored, and as it goes over the wire (RFC 5322, MIME)."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from typing import Final

import msgspec

from daemon.mail.contract import LONGEST_SUBJECT, Attachment, Letter, LetterRefusedError
from protocols.mail_addresses import MailAddressError, mail_address

_MOST_RECIPIENTS: Final = 200
_MOST_BYTES: Final = 10_000_000
_LONGEST_KEY: Final = 200
_CONTENT_TYPE: Final = re.compile(r"[\w.+-]+/[\w.+-]+(?:\s*;\s*[\w.+-]+=(?:[\w.+-]+|\"[^\"\\\r\n]*\"))*", re.ASCII)


class StoredLetter(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A letter in the inbox. ``key`` is what it is known by, ``written_at`` when it was handed in (Unix seconds).

    ``recipient`` is the one of ``letter.to`` that this copy is for, ``""`` where it has not been parted yet.
    """

    letter: Letter
    key: str
    written_at: float
    recipient: str = ""


class Envelope(msgspec.Struct, frozen=True):
    """What a mail server is given. ``needs_utf8``: an address is not ASCII, so it must know SMTPUTF8 (RFC 6531)."""

    sender: str
    recipient: str
    message: bytes
    needs_utf8: bool


def checked_letter(letter: Letter, key: str) -> Letter:
    """``letter`` with its addresses in their one form, each once. Raises :class:`LetterRefusedError`."""
    if not key or len(key) > _LONGEST_KEY or not key.isprintable():
        raise LetterRefusedError(f"a letter's key has 1 to {_LONGEST_KEY} characters")
    if len(letter.subject) > LONGEST_SUBJECT or not letter.subject.isprintable():
        raise LetterRefusedError(f"a subject is one line of at most {LONGEST_SUBJECT} characters")
    try:
        to = tuple({address.lower(): address for address in map(mail_address, letter.to)}.values())
    except MailAddressError as error:
        raise LetterRefusedError(str(error)) from error
    if len(to) > _MOST_RECIPIENTS:
        raise LetterRefusedError(f"a letter has at most {_MOST_RECIPIENTS} recipients")
    try:
        size = len(letter.text.encode()) + sum(len(one.content) for one in letter.attachments)
    except UnicodeEncodeError as error:
        raise LetterRefusedError("the text cannot be written in UTF-8") from error
    if size > _MOST_BYTES:
        raise LetterRefusedError(f"a letter has at most {_MOST_BYTES:,} bytes")
    for attachment in letter.attachments:
        if not attachment.name.strip() or not attachment.name.isprintable():
            raise LetterRefusedError("an attachment has a name of one line")
        if not _CONTENT_TYPE.fullmatch(attachment.content_type):
            raise LetterRefusedError("an attachment's type is like text/csv; charset=utf-8")
    return msgspec.structs.replace(letter, to=to)


def envelope(stored: StoredLetter, *, sender: str) -> Envelope:
    """A copy as ``sender`` sends it to its ``recipient``. The same copy is the same bytes each time.

    It names the other recipients too, but for those whose address is not ASCII where its own recipient's is.
    """
    letter = stored.letter
    needs_utf8 = not f"{sender}{stored.recipient}".isascii()
    to = letter.to or (stored.recipient,)
    if not needs_utf8:
        # Who can be written to by any server is not kept waiting for one that can spell the others.
        to = tuple(filter(str.isascii, to))
    message = EmailMessage(policy=SMTPUTF8 if needs_utf8 else SMTP)
    digest = hashlib.sha256(stored.key.encode()).hexdigest()[:40]
    message["Message-ID"] = f"<{digest}@{sender.rpartition('@')[2]}>"
    message["Date"] = format_datetime(datetime.fromtimestamp(int(stored.written_at), UTC))
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Subject"] = letter.subject
    message["Auto-Submitted"] = "auto-generated"  # nobody's holiday answers it (RFC 3834)
    message.set_content(letter.text, cte="quoted-printable" if letter.text.isascii() else "base64")
    for attachment in letter.attachments:
        _attach(message, attachment)
    if message.is_multipart():
        message.set_boundary(f"=_{digest}")
    return Envelope(sender, stored.recipient, message.as_bytes(), needs_utf8)


def _attach(message: EmailMessage, attachment: Attachment) -> None:
    kind = EmailMessage()
    kind["Content-Type"] = attachment.content_type
    message.add_attachment(
        attachment.content,
        maintype=kind.get_content_maintype(),
        subtype=kind.get_content_subtype(),
        params=dict(kind["Content-Type"].params),
        filename=attachment.name,
    )
