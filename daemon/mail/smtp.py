"""One letter to one recipient by a mail server (RFC 5321), and what its answers mean.

Every recipient has a transaction of their own: so what one of them is refused for, or must wait for, is theirs alone,
and nobody else gets the letter again.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from typing import Final

import aiosmtplib
from aiosmtplib import SMTP

from daemon.mail.composing import Envelope
from daemon.mail.errors import MailError, RefusedError, TryLaterError
from daemon.mail.settings import MailAccount

_WHOLE: Final = 4
"""A transaction may take this many times as long as one answer."""
_GOODBYE: Final = 1.0
_LONGEST_WORDS: Final = 300
_AWAY: Final = "the mail server cannot be reached"
_NO_TLS: Final = "the mail server does not encrypt"
_NOT_SIGNED_IN: Final = "the mail server does not take the sender's name and password"
_UNTRUSTED: Final = "the mail server's certificate is not trusted"
_NO_AUTHORITIES: Final = "the certificates of [mail] ca_file cannot be read"


class MailServer:
    """Sends by whatever account it is given. ``timeout`` are the seconds that an answer may take; ``ca_file`` holds
    certificates that are trusted beside the system's, ``""`` for none."""

    def __init__(self, *, timeout: float, ca_file: str = "") -> None:
        self._timeout = timeout
        self._ca_file = ca_file
        self._tls: ssl.SSLContext | None = None

    @property
    def patience(self) -> float:
        """Seconds that :meth:`send` takes at most."""
        return self._timeout * _WHOLE + _GOODBYE

    async def send(self, account: MailAccount, envelope: Envelope) -> None:
        """Hand it over; returns when the server has taken it. Raises :class:`RefusedError` or :class:`TryLaterError`.

        Where the connection breaks after all was said and before the answer, it may have been taken: it is the
        Message-ID that tells the recipient then.
        """
        client = SMTP(
            hostname=account.host,
            port=account.port,
            use_tls=account.tls == "implicit",
            start_tls=False,
            tls_context=await self._context() if account.tls != "none" else None,
            timeout=self._timeout,
        )
        try:
            async with asyncio.timeout(self._timeout * _WHOLE):
                await self._begin(client, account)
                options = ["SMTPUTF8", "BODY=8BITMIME"] if envelope.needs_utf8 else []
                await client.sendmail(envelope.sender, [envelope.recipient], envelope.message, mail_options=options)
            # It is the server's now: how the goodbye goes changes nothing.
            with suppress(aiosmtplib.SMTPException, OSError):
                async with asyncio.timeout(_GOODBYE):
                    await client.quit()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise _meaning(error) from error
        finally:
            client.close()

    async def _begin(self, client: SMTP, account: MailAccount) -> None:
        try:
            await client.connect()
        except UnicodeError as error:  # that no name can be looked up says nothing of the letter
            raise TryLaterError(f"{_AWAY}: {account.host} is no name of a host", _AWAY) from error
        if account.tls == "starttls":
            # That there is no TLS says nothing of the letter: somebody in between may have said so.
            try:
                await client.ehlo()
                if not client.supports_extension("starttls"):
                    raise TryLaterError(f"{_NO_TLS}: it offers no STARTTLS", _NO_TLS)
                await client.starttls()
            except aiosmtplib.SMTPResponseException as error:
                raise TryLaterError(f"{_NO_TLS}: {_words(error)}", _NO_TLS) from error
        if account.password:
            # Also a refusal for good says nothing of the letter: an admin can mend the password while it waits.
            try:
                await client.login(account.sender, account.password)
            except aiosmtplib.SMTPAuthenticationError as error:
                raise TryLaterError(f"{_NOT_SIGNED_IN}: {_words(error)}", _NOT_SIGNED_IN) from error

    async def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            try:
                self._tls = await asyncio.to_thread(self._new_context)
            except OSError as error:
                raise TryLaterError(f"{_NO_AUTHORITIES} ({type(error).__name__})", _NO_AUTHORITIES) from error
        return self._tls

    def _new_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._ca_file:
            context.load_verify_locations(self._ca_file)
        return context


def _meaning(error: Exception) -> MailError:
    """What to make of it: only what the server itself refuses for good is refused."""
    for cause in (error, error.__cause__):  # first: one of a certificate is a ValueError too
        if isinstance(cause, ssl.SSLCertVerificationError):
            return TryLaterError(f"{_UNTRUSTED}: {cause.verify_message}", _UNTRUSTED)
        if isinstance(cause, ssl.SSLError):
            return TryLaterError(f"TLS with the mail server failed: {cause.reason}", "TLS with the mail server failed")
    match error:
        case aiosmtplib.SMTPRecipientsRefused(recipients=[one, *_]):
            return _answered(one)
        case aiosmtplib.SMTPResponseException():
            return _answered(error)
        case aiosmtplib.SMTPNotSupported():
            return RefusedError("the mail server does not know SMTPUTF8, which the address needs")
        case ValueError():
            return RefusedError(f"an address cannot be sent to: {error}")
    if isinstance(error, TimeoutError):
        return TryLaterError("the mail server did not answer in time", "the mail server did not answer in time")
    if type(error) is aiosmtplib.SMTPException:  # it knows no way of signing in that we do
        return TryLaterError(f"the mail server takes no password: {error}", "the mail server takes no password")
    return TryLaterError(f"{_AWAY}: {error}", _AWAY)


def _answered(error: aiosmtplib.SMTPResponseException) -> MailError:
    if 500 <= error.code < 600:
        return RefusedError(f"the mail server refused: {_words(error)}")
    return TryLaterError(
        f"the mail server refused for now: {_words(error)}", f"the mail server refused for now ({error.code})"
    )


def _words(error: aiosmtplib.SMTPResponseException) -> str:
    """What the server said, in one line. Servers in Korea say it in CP949 too, and no standard lets them say which."""
    raw = error.message.encode("utf-8", "surrogateescape")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("cp949", "replace")
    words = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return f"{error.code} {words}"[:_LONGEST_WORDS]
