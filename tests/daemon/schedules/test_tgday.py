"""People are asked for their tgday, told of one that comes, and listed."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest

from daemon.chatbot.contract import Message
from daemon.plugins import OptionsError, load
from daemon.schedules.contract import Firing, Reminders
from daemon.schedules.definition import BUILT_IN
from daemon.schedules.months import days_of_month, written
from daemon.schedules.tgday import Telling, ask_for_tgday, tell_of_tgday
from daemon.schedules.tgday_lists import mail_tgday_lists
from daemon.stores.database import Database
from daemon.stores.people import PersonRow, save_people
from tests.daemon.schedules.telling import RecordingMail, fill, firing_at, table_of, telling
from tests.daemon.schedules.timekeeping import seoul


async def test_everybody_who_can_be_reached_is_asked_once(database: Database) -> None:
    await fill(database, jun=date(2026, 12, 3), mina=date(2026, 11, 30))
    async with telling(database) as people:
        for _ in range(2):
            await ask_for_tgday(firing_at(2026, 12, 1, 9), reminders=people.reminders, database=database)
        await people.settled()
    said = {one.to: one.message for one in people.messenger.posted}
    assert len(people.messenger.posted) == len(said) == 5
    assert said.keys() == {"R-mina", "jun@example.com", "R-sora", "haneul@example.com", "alone@example.com"}
    asked, known = said["R-mina"], said["jun@example.com"]
    assert asked.text.startswith("12월 tgday를 알려 주세요")
    assert known.text.startswith("12월 tgday는 **12월 3일(목)**입니다")
    for message in (asked, known):
        assert "`tgday`" in message.text
        assert message.card is not None
        assert [choice.value for choice in message.card.choices] == ["tgday"]


async def test_nobody_is_asked_for_the_tgday_of_a_month_that_is_over(database: Database) -> None:
    await fill(database)
    async with telling(database, now=seoul(2026, 12, 31, 23, 59)) as people:
        await ask_for_tgday(firing_at(2026, 12, 1, 9), reminders=people.reminders, database=database)
        await people.settled()
        assert len(people.messenger.posted) == 5
        people.clock.now = seoul(2027, 1, 1) + 1
        late = Firing(schedule="late", due_at=seoul(2026, 12, 1, 9), time_zone="Asia/Seoul")
        await ask_for_tgday(late, reminders=people.reminders, database=database)
        await people.settled()
    assert len(people.messenger.posted) == 5


async def test_thousands_are_told_without_filling_the_inbox(database: Database) -> None:
    many = [PersonRow(name=f"p{n}", role="viewer", email=f"p{n}@example.com") for n in range(1_500)]
    async with database.transaction() as connection:
        await save_people(connection, many, now=0.0)
    reminders = CountingReminders()
    await ask_for_tgday(firing_at(2026, 12, 1, 9), reminders=reminders, database=database)
    assert reminders.told == {person.name for person in many}
    assert 1 < reminders.most_at_once <= 500


class CountingReminders(Reminders):
    """Counts how many are handed in at a time."""

    def __init__(self) -> None:
        self.told: set[str] = set()
        self.most_at_once = 0
        self._at_once = 0

    async def remind(
        self,
        firing: Firing,
        recipient: str,
        message: Message,
        *,
        room_id: str = "",
        person_email: str = "",
        until: float | None = None,
    ) -> str:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await asyncio.sleep(0)
        self._at_once -= 1
        self.told.add(recipient)
        return recipient


@pytest.mark.parametrize(
    ("days_before", "today", "when"),
    [(1, 2, "12월 3일(목)"), (0, 3, "오늘 12월 3일(목)"), (2, 1, "12월 3일(목)")],
)
async def test_owner_and_team_are_told(database: Database, days_before: int, today: int, when: str) -> None:
    await fill(database, mina=date(2026, 12, 3), jun=date(2026, 12, 3), haneul=date(2026, 12, 4))
    async with telling(database, now=seoul(2026, 12, today, 9)) as people:
        firing = firing_at(2026, 12, today, 8)
        await tell_of_tgday(firing, reminders=people.reminders, database=database, options=Telling(days_before))
        await people.settled()
    assert {one.to: one.message.text for one in people.messenger.posted} == {
        "R-mina": f"{when}은 **회원님의 tgday**입니다.\n\n{when}은 **박준** 님의 tgday입니다.",
        "jun@example.com": f"{when}은 **회원님의 tgday**입니다.\n\n{when}은 **김\\*미나** 님의 tgday입니다.",
        "R-sora": f"{when}은 **박준** 님, **김\\*미나** 님의 tgday입니다.",
    }


async def test_the_day_that_is_over_is_not_told_of(database: Database) -> None:
    await fill(database, haneul=date(2026, 12, 3))
    async with telling(database, now=seoul(2026, 12, 4, 0, 0) + 1) as people:
        await tell_of_tgday(
            firing_at(2026, 12, 2, 18), reminders=people.reminders, database=database, options=Telling(1)
        )
        [delivery] = await people.settled()
    assert "too late" in delivery.row.error
    assert people.messenger.posted == []


async def test_who_is_in_no_team_is_told_alone(database: Database) -> None:
    await fill(database, alone=date(2026, 12, 3))
    async with telling(database) as people:
        await tell_of_tgday(firing_at(2026, 12, 3, 8), reminders=people.reminders, database=database)
        await people.settled()
    assert [one.to for one in people.messenger.posted] == ["alone@example.com"]


async def test_each_team_has_its_list(database: Database) -> None:
    dates = {
        "mina": date(2026, 12, 24),
        "sora": date(2026, 12, 1),
        "jun": date(2026, 11, 30),
        "haneul": date(2027, 1, 1),
    }
    await fill(database, **dates, alone=date(2026, 12, 31))
    mail = RecordingMail()
    for _ in range(2):
        await mail_tgday_lists(firing_at(2026, 12, 3, 14), mail=mail, database=database)
    key = "example:2026-12-03T05:00:00Z"
    assert mail.letters.keys() == {f"{key}:영업팀", f"{key}:상담팀", f"{key}:"}
    sales, care, others = (mail.letters[f"{key}:{team}"] for team in ("영업팀", "상담팀", ""))
    assert (sales.to, care.to, others.to) == (("lead@example.com",), (), ())
    assert table_of(sales) == [
        ["이름", "팀명", "날짜"],
        ["'=이소라", "영업팀", "2026-12-01"],
        ["김*미나", "영업팀", "2026-12-24"],
    ]
    assert table_of(care) == [["이름", "팀명", "날짜"]]
    assert table_of(others)[1:] == [["홀로", "소속 없음", "2026-12-31"]]
    assert sales.subject == "2026년 12월 tgday: 영업팀"
    assert "2명" in sales.text
    assert "아직 정하지 않은 사람: 박준, silent" in sales.text
    assert sales.attachments[0].name == "tgday-2026-12-영업팀.csv"


def test_days_and_months() -> None:
    assert days_of_month(date(2028, 2, 29)) == (date(2028, 2, 1), date(2028, 2, 29))
    assert days_of_month(date(2026, 12, 31)) == (date(2026, 12, 1), date(2026, 12, 31))
    assert [written(date(2026, 11, day)) for day in (1, 7)] == ["11월 1일(일)", "11월 7일(토)"]


@pytest.mark.parametrize("options", [{"days_before": 32}, {"days_before": -1}, {"days": 1}])
def test_options_that_do_not_fit(options: dict[str, int]) -> None:
    plugin = load(BUILT_IN["tell-tgday"])
    with pytest.raises(OptionsError, match="do not fit"):
        plugin.check(
            {need.contract for need in plugin.needs.values() if need.contract}, taken={"firing"}, options=options
        )
