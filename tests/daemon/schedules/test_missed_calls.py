"""Calls that rang in vain, counted by the number called and by caller."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from daemon.plugins import OptionsError, load
from daemon.schedules.definition import BUILT_IN
from daemon.schedules.missed_calls import Report, report_missed_calls
from daemon.stores.calls import save_calls
from daemon.stores.database import Database
from daemon.stores.missed_calls import MissedCalls, count_missed_calls
from tests.daemon.schedules.telling import RecordingMail, firing_at, table_of
from tests.daemon.schedules.timekeeping import seoul
from tests.daemon.stores.rows import call_row

FRIDAY = seoul(2026, 11, 27, 10)
MINA, JUN = "01012345678", "01099990000"


async def fill(database: Database) -> None:
    def missed(call_id: str, **changes: object) -> object:
        given = {"state": "ended", "disposition": "abandoned", "did": "07000000801", "created_at": FRIDAY, "legs": []}
        return call_row(call_id, **(given | changes))

    rows = [
        missed("a", caller=MINA),
        missed("b", caller=MINA, disposition="no_answer", created_at=FRIDAY + 60),
        missed("c", caller=JUN, disposition="busy", created_at=FRIDAY - 60),
        missed("d", caller=JUN, did="07000000802", server="other"),
        missed("e", caller="", did=""),
        missed("answered", disposition="answered"),
        missed("failed", disposition="failed"),
        missed("live", disposition=None),
        missed("merged", merged_into="a"),
        missed("sensitive", sensitive=True),
        missed("placed"),
        missed("before", created_at=seoul(2026, 11, 23) - 1),
        missed("first", created_at=seoul(2026, 11, 23), did="07000000803", caller="=1"),
        missed("after", created_at=seoul(2026, 11, 30)),
    ]
    async with database.transaction() as connection:
        await save_calls(connection, rows)  # type: ignore[arg-type]
        await connection.execute(
            text(
                "INSERT INTO outgoing_calls (call_id, actor, request, holder, server, leg_id, app, number, variables,"
                " state, cause, machine, created_at) VALUES ('placed', 'a', '', 'h', 's', 'l', 'a', '1', '{}', 'ended',"
                " '', false, 0)"
            )
        )


async def test_they_are_counted_by_did_and_caller(database: Database) -> None:
    await fill(database)
    async with database.read() as connection:
        counted = await count_missed_calls(connection, seoul(2026, 11, 23), seoul(2026, 11, 30))
        others = await count_missed_calls(connection, 0.0, FRIDAY + 3_600, servers=["other"])
    assert counted == [
        MissedCalls(did="", caller="", count=1, last_at=FRIDAY),
        MissedCalls(did="07000000801", caller=MINA, count=2, last_at=FRIDAY + 60),
        MissedCalls(did="07000000801", caller=JUN, count=1, last_at=FRIDAY - 60),
        MissedCalls(did="07000000802", caller=JUN, count=1, last_at=FRIDAY),
        MissedCalls(did="07000000803", caller="=1", count=1, last_at=seoul(2026, 11, 23)),
    ]
    assert [one.did for one in others] == ["07000000802"]


async def test_the_week_before_is_reported_with_callers_masked(database: Database) -> None:
    await fill(database)
    mail = RecordingMail()
    options = Report(to=("desk@example.com",))
    await report_missed_calls(firing_at(2026, 11, 30, 9), mail=mail, database=database, options=options)
    [(key, letter)] = mail.letters.items()
    assert (key, letter.to) == ("example:2026-11-30T00:00:00Z", ("desk@example.com",))
    assert letter.subject == "부재중 전화 11월 23일(월)–11월 29일(일): 6건"
    assert "  07000000801: 3건" in letter.text.splitlines()
    assert table_of(letter) == [
        ["수신번호", "발신번호", "건수", "마지막 통화"],
        ["알 수 없음", "알 수 없음", "1", "2026-11-27 10:00"],
        ["07000000801", "010****5678", "2", "2026-11-27 10:01"],
        ["07000000801", "010****0000", "1", "2026-11-27 09:59"],
        ["07000000802", "010****0000", "1", "2026-11-27 10:00"],
        ["07000000803", "****", "1", "2026-11-23 00:00"],
    ]
    assert MINA not in letter.text


async def test_a_report_of_some_numbers_alone(database: Database) -> None:
    await fill(database)
    mail = RecordingMail()
    options = Report(days=1, dids=("0700000080[12]",), title="한빛 상사")
    await report_missed_calls(firing_at(2026, 11, 28, 9), mail=mail, database=database, options=options)
    [letter] = mail.letters.values()
    assert letter.subject == "한빛 상사 11월 27일(금): 4건"
    assert {row[0] for row in table_of(letter)[1:]} == {"07000000801", "07000000802"}


async def test_a_week_without_any_is_reported_too(database: Database) -> None:
    mail = RecordingMail()
    await report_missed_calls(firing_at(2026, 11, 30, 9), mail=mail, database=database)
    [letter] = mail.letters.values()
    assert letter.subject.endswith(": 0건")
    assert len(table_of(letter)) == 1


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"days": 0}, "days"),
        ({"dids": ["07("]}, "no regular expression"),
        ({"tenant": "a"}, "unknown field `tenant`"),
        ({"to": ["desk"]}, "desk"),
        ({"to": [f"desk-{n}@example.com" for n in range(201)]}, "to"),
        ({"title": "두\n줄"}, "title"),
        ({"title": "길" * 201}, "title"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, object], problem: str) -> None:
    plugin = load(BUILT_IN["missed-calls"])
    supplied = {need.contract for need in plugin.needs.values() if need.contract}
    with pytest.raises(OptionsError, match=problem):
        plugin.check(supplied, taken={"firing"}, options=options)
