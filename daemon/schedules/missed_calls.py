"""The calls of the last days in which nobody was reached, as a table by mail."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from daemon.calls.numbers import mask_number
from daemon.mail.contract import Attachment, Letter, Mail
from daemon.schedules.contract import Firing
from daemon.schedules.months import written
from daemon.stores.database import Database
from daemon.stores.missed_calls import MissedCalls, count_missed_calls
from protocols.mail_addresses import MailAddressError, mail_address
from protocols.spreadsheet import csv_table, harmless

_COLUMNS: Final = ("수신번호", "발신번호", "건수", "마지막 통화")
_CSV: Final = "text/csv; charset=utf-8"
_UNKNOWN: Final = "알 수 없음"


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``days`` are the whole ones before the firing's own. ``to`` are e-mail addresses, none for the recipient of all
    mail. ``servers`` and ``dids`` (regular expressions, matched whole) are whose calls count; none: all."""

    days: Annotated[int, Meta(ge=1, le=366)] = 7
    to: Annotated[tuple[str, ...], Meta(max_length=200)] = ()
    servers: tuple[str, ...] = ()
    dids: tuple[str, ...] = ()
    title: Annotated[str, Meta(max_length=200)] = "부재중 전화"

    def __post_init__(self) -> None:
        # No letter is made of anything else, and that would be found out only when the first is due.
        if not self.title.isprintable():
            raise ValueError("a title is one line of signs that can be seen")
        for address in self.to:
            try:
                mail_address(address)
            except MailAddressError as error:
                raise ValueError(f'"{address}" in to: {error}') from error
        for pattern in self.dids:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f'"{pattern}" is no regular expression: {error}') from error


async def report_missed_calls(
    firing: Firing,
    *,
    mail: Mail,
    database: Database,
    options: Report = Report(),  # noqa: B008 - it never changes
) -> None:
    """Send how many calls rang in vain in the last days, by the number called and by caller. Callers are masked."""
    last = firing.due.date() - timedelta(days=1)
    first = last - timedelta(days=options.days - 1)
    async with database.read() as connection:
        missed = await count_missed_calls(
            connection,
            _midnight(first, firing),
            _midnight(last + timedelta(days=1), firing),
            servers=options.servers,
        )
    if options.dids:
        missed = [one for one in missed if any(re.fullmatch(pattern, one.did) for pattern in options.dids)]
    span = written(first) if first == last else f"{written(first)}–{written(last)}"
    letter = Letter(
        to=options.to,
        subject=f"{options.title} {span}: {sum(one.count for one in missed)}건",
        text=_text(span, missed),
        attachments=(
            Attachment(name=f"missed-calls-{last}.csv", content_type=_CSV, content=_table(missed, firing).encode()),
        ),
    )
    await mail.send(letter, key=firing.key)


def _midnight(day: date, firing: Firing) -> float:
    return datetime.combine(day, datetime.min.time(), firing.due.tzinfo).timestamp()


def _text(span: str, missed: Sequence[MissedCalls]) -> str:
    by_did: Counter[str] = Counter()
    for one in missed:
        by_did[one.did or _UNKNOWN] += one.count
    lines = [f"{span}에 받지 못한 전화는 {by_did.total()}건입니다."]
    lines += [f"  {did}: {count}건" for did, count in by_did.most_common()]
    return "\n".join(lines) + "\n"


def _table(missed: Sequence[MissedCalls], firing: Firing) -> str:
    zone = firing.due.tzinfo
    return csv_table(
        _COLUMNS,
        (
            [
                harmless(one.did or _UNKNOWN),
                harmless(mask_number(one.caller) or _UNKNOWN),
                one.count,
                f"{datetime.fromtimestamp(one.last_at, zone):%Y-%m-%d %H:%M}",
            ]
            for one in missed
        ),
    )
