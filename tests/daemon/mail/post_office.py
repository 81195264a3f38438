"""A real mail server on loopback, and what can go wrong with one."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from email import message_from_bytes
from email.policy import default
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

SENDER = "parley@example.com"
PASSWORD = "an example password"


class Taken:
    """A letter that the server has taken."""

    def __init__(self, envelope: Envelope) -> None:
        self.sender = envelope.mail_from
        self.recipients = list(envelope.rcpt_tos)
        self.options = list(envelope.mail_options)
        self.raw = cast(bytes, envelope.content)
        self.message = message_from_bytes(self.raw, policy=default)


class _Protocol(SMTP):
    office: PostOffice

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        if self.office.cut_in_data:
            self.office.cut_in_data -= 1
            await self.push("354 Go on")
            await self._reader.readline()
            cast(asyncio.Transport, self.transport).abort()
            return
        await super().smtp_DATA(arg)


class PostOffice:
    """Takes letters into :attr:`taken`.

    ``tls`` is how it encrypts, by ``context``. ``says`` are answers to recipients, the next one each time, by address;
    after the last of them, and for everybody else, it takes the letter. ``utf8``: it knows SMTPUTF8.
    """

    def __init__(
        self, context: ssl.SSLContext | None = None, *, tls: str = "none", password: bool = False, utf8: bool = True
    ) -> None:
        self.taken: list[Taken] = []
        self.says: dict[str, list[str]] = {}
        self.cut_in_data = 0
        """How many times the connection is cut in the middle of a letter."""
        self.cut_before_answer = 0
        """How many times it is cut when a letter was taken, before that is said."""
        self.asked: list[str] = []
        """Every recipient that was named."""
        self.changed = asyncio.Event()
        self.port = 0
        self.greeting: bytes | None = None
        """What it says to whoever connects before it hangs up; with ``b""`` it says nothing and waits to be left."""
        self._context = context
        self._tls = tls
        self._password = password
        self._utf8 = utf8
        self._server: asyncio.Server | None = None
        self._protocols: set[_Protocol] = set()

    async def start(self) -> None:
        """Listen, on the port of the time before."""
        loop = asyncio.get_running_loop()
        implicit = self._context if self._tls == "implicit" else None
        if self.greeting is not None:
            self._server = await asyncio.start_server(self._hang_up, "127.0.0.1", self.port)
        else:
            self._server = await loop.create_server(self._protocol, "127.0.0.1", self.port, ssl=implicit)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Go away, with every connection."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        for protocol in self._protocols:
            if protocol.transport is not None:
                cast(asyncio.Transport, protocol.transport).abort()
        await server.wait_closed()

    async def until(self, count: int) -> list[Taken]:
        """Wait until so many letters were taken."""
        async with asyncio.timeout(30):
            while len(self.taken) < count:
                self.changed.clear()
                await self.changed.wait()
        return self.taken

    async def until_asked(self, count: int) -> None:
        """Wait until so many recipients were named."""
        async with asyncio.timeout(30):
            while len(self.asked) < count:
                self.changed.clear()
                await self.changed.wait()

    # What aiosmtpd asks of a handler

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.asked.append(address)
        self.changed.set()
        answers = self.says.get(address)
        if answers:
            return answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.taken.append(Taken(envelope))
        self.changed.set()
        if self.cut_before_answer:
            self.cut_before_answer -= 1
            cast(asyncio.Transport, server.transport).abort()
        return "250 Taken"

    def _protocol(self) -> _Protocol:
        more: dict[str, Any] = {}
        if self._tls == "starttls":
            more = {"tls_context": self._context, "require_starttls": True}
        if self._password:
            more |= {"authenticator": _authenticate, "auth_required": True, "auth_require_tls": self._tls == "starttls"}
        with warnings.catch_warnings(action="ignore"):  # it does not see that all of the connection is encrypted
            protocol = _Protocol(self, hostname="mail.example.com", enable_SMTPUTF8=self._utf8, **more)
        protocol.office = self
        self._protocols.add(protocol)
        return protocol

    async def _hang_up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.greeting:
            writer.write(self.greeting)
            await writer.drain()
        else:
            await reader.read()
        writer.close()


def _authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    right = LoginPassword(login=SENDER.encode(), password=PASSWORD.encode())
    return AuthResult(success=data == right, handled=False, auth_data=data)
