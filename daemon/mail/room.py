"""The room as a whole: takes letters, hands each to the mail server until it has gone, and says what keeps them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import msgspec
import structlog
from uuid_utils import uuid7

from daemon.actor import Actor
from daemon.config import MailConfig
from daemon.health import Condition, Part
from daemon.inbox.contract import Delivery, Inbox, PermanentError, PostponedError, RetryLaterError, Work
from daemon.mail.composing import StoredLetter, checked_letter, envelope
from daemon.mail.contract import Letter, Mail
from daemon.mail.errors import NotReadyError, RefusedError, TryLaterError
from daemon.mail.settings import MailAccount, MailSettings
from daemon.mail.smtp import MailServer
from daemon.secrets import Secrets
from daemon.stores.audit import AuditRow, add_audit
from daemon.stores.database import Database

log = structlog.get_logger(__name__)

SOURCE: Final = "parley:mail"
"""The source of letters in the inbox."""
LETTER: Final = "letter"
COPY: Final = "copy"
"""The event of a letter, and of each of its copies where it has several recipients."""

NO_RECIPIENT: Final = "a letter names no recipient, and no default one is set"
_LOOK_AGAIN: Final = 60.0
"""Seconds after which it is looked again whether somebody has said how mail is sent."""
_QUEUE: Final = 5.0
"""Seconds that a letter waits for others that are handed over. Whoever waits keeps a place in the inbox."""


class MailRoom(Mail):
    """Letters. ``waiting`` tells how many are in the inbox; ``clock`` gives Unix seconds.

    A letter with several recipients is parted into a copy for each, which are worked on for themselves: what one
    recipient is refused for touches no other, and nobody gets a letter again because of somebody else.

    Raises ``UnreadableSecretError`` as :class:`~daemon.mail.settings.MailSettings`.
    """

    def __init__(
        self,
        database: Database,
        inbox: Inbox,
        config: MailConfig,
        secrets: Secrets,
        *,
        waiting: Callable[[], int] = lambda: 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = MailSettings(database, config, secrets, clock=clock)
        self._database = database
        self._inbox = inbox
        self._waiting = waiting
        self._clock = clock
        self._server = MailServer(timeout=config.timeout, ca_file=config.ca_file)
        self._at_once = config.at_once
        self._free = asyncio.Semaphore(config.at_once)
        self._trouble = ""
        self.patience = self._server.patience + _QUEUE + 5.0
        """Seconds after which :meth:`handle` is cut off from outside: its own deadlines come first."""

    async def send(self, letter: Letter, *, key: str) -> str:
        """As the contract says."""
        letter = checked_letter(letter, key)
        return await self._put(LETTER, key, StoredLetter(letter=letter, key=key, written_at=self._clock()))

    async def handle(self, delivery: Delivery) -> None:
        """A handler of :data:`SOURCE`: hand a letter to the mail server, or part it into copies."""
        try:
            stored = msgspec.json.decode(delivery.body, type=StoredLetter)
        except msgspec.DecodeError as error:
            raise PermanentError("the body is no letter") from error
        try:
            account = await self.settings.account()
            to = stored.letter.to or ((account.recipient,) if account.recipient else ())
            if not to:
                raise NotReadyError(NO_RECIPIENT)
        except NotReadyError as error:
            self._trouble = error.summary
            raise PostponedError(str(error), after=_LOOK_AGAIN) from error
        if stored.recipient or len(to) == 1:
            copy = msgspec.structs.replace(stored, recipient=stored.recipient or to[0])
            await self._hand_over(account, copy, delivery.delivery_id)
            return
        for recipient in to:
            copy = msgspec.structs.replace(stored, recipient=recipient)
            await self._put(COPY, f"{delivery.delivery_id}/{recipient}", copy)

    async def try_out(self, to: str, *, by: Actor) -> str:
        """Send a letter that says that mail works, at once and once, to ``to`` or else the default recipient; returns
        to whom it went.

        Raises :class:`NotReadyError`, :class:`RefusedError`, :class:`TryLaterError` or
        :class:`~daemon.mail.contract.LetterRefusedError`.
        """
        account = await self.settings.account()
        if not to and not account.recipient:
            raise NotReadyError(NO_RECIPIENT)
        key = f"test:{uuid7()}"
        letter = checked_letter(Letter(to=(to or account.recipient,), subject=_TEST_SUBJECT, text=_TEST_TEXT), key)
        stored = StoredLetter(letter=letter, key=key, written_at=self._clock(), recipient=letter.to[0])
        await self._server.send(account, envelope(stored, sender=account.sender))
        self._trouble = ""
        async with self._database.transaction() as connection:
            row = AuditRow(
                at=self._clock(),
                actor=by.name,
                via=by.via,
                action="mail_tested",
                subject=stored.recipient,
                address=by.address,
            )
            await add_audit(connection, row)
        return stored.recipient

    def condition(self) -> Part:
        """For health: what keeps letters from going, where some are waiting."""
        waiting = self._waiting()
        numbers = {"waiting": float(waiting)}
        if self._trouble and waiting:
            return Part(Condition.DEGRADED, f"letters wait: {self._trouble}", numbers)
        return Part(Condition.OK, "", numbers)

    async def _put(self, event: str, other_id: str, stored: StoredLetter) -> str:
        work = Work(source=SOURCE, event=event, body=msgspec.json.encode(stored), other_id=other_id)
        return await self._inbox.put(work)

    async def _hand_over(self, account: MailAccount, copy: StoredLetter, delivery_id: str) -> None:
        try:
            async with asyncio.timeout(_QUEUE):
                await self._free.acquire()
        except TimeoutError as error:
            raise PostponedError(f"{self._at_once} others are being handed over", after=_QUEUE) from error
        try:
            await self._server.send(account, envelope(copy, sender=account.sender))
        except RefusedError as error:
            self._trouble = ""  # it is there, and says no
            log.warning("letter_refused", delivery=delivery_id)
            raise PermanentError(str(error)) from error
        except TryLaterError as error:
            self._trouble = error.summary
            log.info("letter_not_taken", delivery=delivery_id, reason=error.summary)
            raise RetryLaterError(str(error)) from error
        finally:
            self._free.release()
        self._trouble = ""


_TEST_SUBJECT: Final = "Parley 메일 시험 · mail test"
_TEST_TEXT: Final = """\
Parley가 보낸 시험 메일입니다. 이 메일을 받으셨다면 메일 설정이 맞습니다.

Parley has sent this letter to try its mail settings. As you read it, they are right.
"""
