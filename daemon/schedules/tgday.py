"""Reminders of the tgday: people are asked for theirs, and told of one that comes."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from daemon.chatbot.contract import Card, Choice, Message, escaped
from daemon.schedules.contract import Firing, Reminders
from daemon.schedules.months import days_of_month, written
from daemon.stores.database import Database
from daemon.stores.people import PersonRow, list_people
from daemon.stores.tgdays import list_tgdays

_COMMAND: Final = "tgday"
"""What one writes to the chatbot to enter a date."""
_AT_ONCE: Final = 250
"""Reminders that are handed in together. More would leave no room for what comes in from outside meanwhile."""


async def ask_for_tgday(firing: Firing, *, reminders: Reminders, database: Database) -> None:
    """Ask everybody who can be reached for their tgday of the month, and tell who has one which it is.

    They are not asked any more when that month is over.
    """
    today = firing.due.date()
    first, last = days_of_month(today)
    async with database.read() as connection:
        people = await list_people(connection)
        dates = {row.user_name: row.date for row in await list_tgdays(connection, first, last)}
    questions = {person.name: _question(today, dates.get(person.name)) for person in people}
    await _say(firing, reminders, people, questions, until=_end_of(last, firing))


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
    owners = {row.user_name for row in of_the_day}
    by_team: defaultdict[str, list[PersonRow]] = defaultdict(list)
    for owner in (people[row.user_name] for row in of_the_day if row.user_name in people):
        if owner.team is not None:
            by_team[owner.team].append(owner)
    # One that is told late may be told on that very day: by "tomorrow" it would say another.
    when = written(day) if options.days_before else f"오늘 {written(day)}"
    news = {
        name: message
        for name, person in people.items()
        if (message := _news(person, by_team.get(person.team or "", ()), when, is_owner=name in owners))
    }
    await _say(firing, reminders, people.values(), news, until=_end_of(day, firing))


async def _say(
    firing: Firing,
    reminders: Reminders,
    people: Iterable[PersonRow],
    messages: Mapping[str, Message],
    *,
    until: float,
) -> None:
    """Say each of ``messages``, which are by names, to whom it is for, if they can be reached."""
    reachable = [person for person in people if person.name in messages and (person.room_id or person.email)]
    for first in range(0, len(reachable), _AT_ONCE):
        # Together, so they share the store's transactions.
        await asyncio.gather(
            *(
                reminders.remind(
                    firing,
                    person.name,
                    messages[person.name],
                    room_id=person.room_id,
                    person_email=person.email or "",
                    until=until,
                )
                for person in reachable[first : first + _AT_ONCE]
            )
        )


def _end_of(day: date, firing: Firing) -> float:
    """When ``day`` is over by the clocks of the firing, in Unix seconds."""
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), firing.due.tzinfo).timestamp()


def _question(today: date, known: date | None) -> Message:
    if known is None:
        text = f"{today.month}월 tgday를 알려 주세요. 아래 단추를 누르거나 `{_COMMAND}`라고 적어 주시면 됩니다."
        return Message(text, Card(choices=(Choice("날짜 정하기", _COMMAND),)))
    text = f"{today.month}월 tgday는 **{written(known)}**입니다. 바꾸시려면 `{_COMMAND}`라고 적어 주세요."
    return Message(text, Card(choices=(Choice("날짜 바꾸기", _COMMAND),)))


def _news(person: PersonRow, of_team: Sequence[PersonRow], when: str, *, is_owner: bool) -> Message | None:
    """What there is to tell a person, the owners in whose team are ``of_team``; ``None``: nothing."""
    lines = [f"{when}은 **회원님의 tgday**입니다."] if is_owner else []
    mates = ", ".join(f"**{escaped(mate.called)}** 님" for mate in of_team if mate.name != person.name)
    if mates:
        lines.append(f"{when}은 {mates}의 tgday입니다.")
    return Message("\n\n".join(lines)) if lines else None
