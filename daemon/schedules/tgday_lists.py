"""The tgdays of each team, as a table by mail."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Final

from daemon.mail.contract import Attachment, Letter, Mail
from daemon.schedules.contract import Firing
from daemon.schedules.months import days_of_month
from daemon.stores.database import Database
from daemon.stores.people import PersonRow, TeamRow, list_people, list_teams
from daemon.stores.tgdays import list_tgdays
from protocols.spreadsheet import csv_table, harmless

_COLUMNS: Final = ("이름", "팀명", "날짜")
_CSV: Final = "text/csv; charset=utf-8"
_NO_TEAM: Final = "소속 없음"


async def mail_tgday_lists(firing: Firing, *, mail: Mail, database: Database) -> None:
    """Send each team's tgdays of the month to its manager, or to the recipient of all mail where none is known.

    A team without people has no list. Who is in no team is in one list of its own, if they have any date.
    """
    first, last = days_of_month(firing.due.date())
    async with database.read() as connection:
        people = await list_people(connection)
        teams = await list_teams(connection)
        dates = {row.user_name: row.date for row in await list_tgdays(connection, first, last)}
    by_team: defaultdict[str | None, list[PersonRow]] = defaultdict(list)
    for person in people:
        by_team[person.team].append(person)
    for team in teams:
        if members := by_team.get(team.name):
            await mail.send(_letter(team, members, dates, first), key=f"{firing.key}:{team.name}")
    others = [person for person in by_team[None] if person.name in dates]
    if others:
        await mail.send(_letter(TeamRow(name=_NO_TEAM), others, dates, first), key=f"{firing.key}:")


def _letter(team: TeamRow, members: Sequence[PersonRow], dates: dict[str, date], month: date) -> Letter:
    with_date = sorted((dates[one.name], one.called) for one in members if one.name in dates)
    without = [one.called for one in members if one.name not in dates]
    table = csv_table(_COLUMNS, ([harmless(name), harmless(team.name), day.isoformat()] for day, name in with_date))
    lines = [f"{team.name}의 {month.year}년 {month.month}월 tgday 목록입니다: {len(with_date)}명."]
    if without:
        lines.append(f"아직 정하지 않은 사람: {', '.join(without)}")
    name = re.sub(r"[^\w-]+", "_", team.name)
    return Letter(
        to=(team.manager_email,) if team.manager_email else (),
        subject=f"{month.year}년 {month.month}월 tgday: {team.name}",
        text="\n\n".join(lines) + "\n",
        attachments=(Attachment(name=f"tgday-{month:%Y-%m}-{name}.csv", content_type=_CSV, content=table.encode()),),
    )
