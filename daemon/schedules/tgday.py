"""Reminders of the tgday: people are asked for theirs, and told of one that comes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from daemon.chatbot.contract import Card, Choice, Message, escaped
from daemon.schedules.contract import Firing, Reminders
from daemon.schedules.months import days_of_month, written
from daemon.stores.database import Database
from daemon.stores.people import PersonRow, list_people
from daemon.stores.tgdays import list_tgdays

_COMMAND = "tgday"
"""What one writes to the chatbot to enter a date."""


async def ask_for_tgday(firing: Firing, *, reminders: Reminders, database: Database) -> None:
    """Ask everybody who can be reached for their tgday of the month, and tell who has one which it is."""
    today = firing.due.date()
    async with database.read() as connection:
        people = await list_people(connection)
        dates = {row.user_name: row.date for row in await list_tgdays(connection, *days_of_month(today))}
    for person in _reachable(people):
        await reminders.remind(
            firing,
            person.name,
            _question(today, dates.get(person.name)),
            room_id=person.room_id,
            person_email=person.email or "",
        )


class Telling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many days before the tgday it is told."""

    days_before: Annotated[int, Meta(ge=0, le=31)] = 0


async def tell_of_tgday(
    firing: Firing,
    *,
    reminders: Reminders,
    database: Database,
    options: Telling = Telling(),  # noqa: B008 - it never changes
) -> None:
    """Tell who has a tgday so many days later, and their team. It is not told any more when that day is over."""
    day = firing.due.date() + timedelta(days=options.days_before)
    async with database.read() as connection:
        people = {person.name: person for person in await list_people(connection)}
        of_the_day = await list_tgdays(connection, day, day)
    owners = [people[row.user_name] for row in of_the_day if row.user_name in people]
    end = datetime.combine(day + timedelta(days=1), datetime.min.time(), firing.due.tzinfo).timestamp()
    when = f"{_SOON.get(options.days_before, f'{options.days_before}일 뒤')} {written(day)}"
    for person in _reachable(people.values()):
        message = _news(person, owners, when)
        if message is not None:
            await reminders.remind(
                firing,
                person.name,
                message,
                room_id=person.room_id,
                person_email=person.email or "",
                until=end,
            )


_SOON = {0: "오늘", 1: "내일"}


def _reachable(people: Iterable[PersonRow]) -> list[PersonRow]:
    return [person for person in people if person.room_id or person.email]


def _question(today: date, known: date | None) -> Message:
    if known is None:
        text = f"{today.month}월 tgday를 알려 주세요. 아래 단추를 누르거나 `{_COMMAND}`라고 적어 주시면 됩니다."
        return Message(text, Card(choices=(Choice("날짜 정하기", _COMMAND),)))
    text = f"{today.month}월 tgday는 **{written(known)}**입니다. 바꾸시려면 `{_COMMAND}`라고 적어 주세요."
    return Message(text, Card(choices=(Choice("날짜 바꾸기", _COMMAND),)))


def _news(person: PersonRow, owners: list[PersonRow], when: str) -> Message | None:
    """What there is to tell a person; ``None``: nothing."""
    lines = [f"{when}은 **회원님의 tgday**입니다."] if person in owners else []
    mates = [one for one in owners if one is not person and one.team is not None and one.team == person.team]
    if mates:
        names = ", ".join(f"**{escaped(mate.called)}** 님" for mate in mates)
        lines.append(f"{when}은 {names}의 tgday입니다.")
    return Message("\n\n".join(lines)) if lines else None
