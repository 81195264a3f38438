"""Calls in the store, on both engines: kept as they last stood, found by their legs, listed page by page."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy import insert

from daemon.stores.calls import (
    CallAlias,
    CallFilter,
    CallRow,
    add_alias,
    aliases_of,
    calls_by_legs,
    end_lost_calls,
    get_call,
    page_calls,
    save_calls,
    stored_call_ids,
)
from daemon.stores.cursor import CursorError
from daemon.stores.database import Database, RowRefusedError
from daemon.stores.schema import calls
from tests.daemon.stores.rows import call_row, leg_row

replace = msgspec.structs.replace


async def save(database: Database, *rows: CallRow) -> None:
    async with database.transaction() as connection:
        await save_calls(connection, rows)


async def read(database: Database, call_id: str) -> CallRow:
    async with database.read() as connection:
        row = await get_call(connection, call_id)
    assert row is not None
    return row


async def test_a_call_comes_back_as_it_was_saved(database: Database) -> None:
    row = call_row("a", legs=[leg_row("leg-a"), leg_row("leg-b", direction="outbound", answered_at=None, held=True)])
    await save(database, row)
    assert await read(database, "a") == row


async def test_a_later_state_replaces_the_earlier_one(database: Database) -> None:
    first = call_row("a", state="ringing", answered_at=None)
    ended = {"state": "ended", "ended_at": 1_700_000_060.0, "hangup_cause": "NORMAL_CLEARING"}
    last = call_row("a", disposition="answered", legs=[leg_row("leg-a", **ended, parked=False)], **ended)
    await save(database, first)
    await save(database, first, last)
    assert await read(database, "a") == last
    await save(database, replace(last, state="parked", ended_at=None))
    assert (await read(database, "a")).ended_at is None


async def test_what_was_known_of_a_call_is_not_forgotten(database: Database) -> None:
    known = call_row("a", sensitive=True)
    await save(database, known)
    names = ("caller", "caller_name", "callee", "did", "code", "app", "outcome", "app_ending")
    nothing: dict[str, Any] = dict.fromkeys(names, "")
    poorer = call_row("a", other_id="another", server="elsewhere", created_at=1.0, answered_at=None, legs=[], **nothing)
    await save(database, poorer)
    assert await read(database, "a") == known


async def test_a_call_that_an_older_version_stored(database: Database) -> None:
    stored = call_row("a", legs=[], app_ending="", outcome="")
    known = {name: value for name, value in msgspec.structs.asdict(stored).items() if value not in ("", [])}
    async with database.transaction() as connection:
        await connection.execute(insert(calls).values(known | {"hangup_cause": "", "merged_into": ""}))
    assert await read(database, "a") == stored


async def test_a_leg_belongs_to_the_call_that_named_it_last(database: Database) -> None:
    older = call_row("a")
    await save(database, older, call_row("b"))
    younger = call_row("b", legs=[], state="ended", ended_at=1_700_000_009.0, merged_into="a")
    both = replace(older, legs=[*older.legs, leg_row("leg-b")])
    await save(database, younger, both)
    assert await read(database, "a") == both
    assert await read(database, "b") == younger


async def test_two_calls_cannot_be_named_by_one_leg(database: Database) -> None:
    await save(database, call_row("a"))
    with pytest.raises(RowRefusedError):
        await save(database, call_row("b", other_id="leg-a"))


async def test_calls_are_found_by_their_legs(database: Database) -> None:
    merged = call_row("b", legs=[], merged_into="a")
    await save(
        database,
        call_row("a", legs=[leg_row("leg-a"), leg_row("leg-c")]),
        merged,
        call_row("other", server="second", other_id="leg-a"),
    )
    many = [f"unknown-{number}" for number in range(1200)]
    async with database.read() as connection:
        found = await calls_by_legs(connection, "freeswitch", "main", ["leg-a", *many, "leg-b", "leg-c"])
        assert found == {"leg-a": "a", "leg-b": "a", "leg-c": "a"}
        assert await stored_call_ids(connection, ["a", "b", "c", *many]) == {"a", "b"}


async def test_an_old_id_leads_to_the_call(database: Database) -> None:
    row = call_row("stored")
    await save(database, row)
    async with database.transaction() as connection:
        await add_alias(connection, CallAlias("fresh", "stored", 7))
        await add_alias(connection, CallAlias("fresh", "stored", 9))
        assert await aliases_of(connection, ["fresh", "stored"]) == {"fresh": CallAlias("fresh", "stored", 7)}
    assert await read(database, "fresh") == row
    async with database.read() as connection:
        assert await get_call(connection, "nobody") is None


async def test_calls_that_no_snapshot_shows_any_more_are_lost(database: Database) -> None:
    alive = call_row("alive", legs=[leg_row("leg-alive"), leg_row("second")])
    gone = call_row("gone")
    ended = call_row("ended", state="ended", ended_at=1_700_000_001.0, disposition="answered")
    young = call_row("young", created_at=1_700_000_500.0)
    elsewhere = call_row("elsewhere", server="second")
    await save(database, alive, gone, ended, young, elsewhere)
    at = 1_700_000_400.0
    async with database.transaction() as connection:
        lost = await end_lost_calls(connection, "freeswitch", "main", living_legs=["second", "unknown"], at=at)
    assert lost == ["gone"]
    leg = replace(gone.legs[0], state="ended", ended_at=at)
    assert await read(database, "gone") == replace(gone, state="ended", ended_at=at, disposition="lost", legs=[leg])
    for untouched in (alive, ended, young, elsewhere):
        assert await read(database, untouched.call_id) == untouched


async def page_through(database: Database, wanted: CallFilter, limit: int) -> list[list[str]]:
    pages: list[list[str]] = []
    cursor: str | None = None
    async with database.read() as connection:
        while True:
            rows, cursor = await page_calls(connection, wanted, limit, cursor)
            pages.append([row.call_id for row in rows])
            if cursor is None:
                return pages


async def test_pages_run_newest_first_without_doubles_or_gaps(database: Database) -> None:
    # Many calls begin at the same instant: the id decides between them, by bytes.
    names = ["B", "a", "Z", "z", "가", "_", "0", "힣"]
    rows = [call_row(f"{name}{number}", created_at=number // 4 + 0.1) for number in range(10) for name in names]
    await save(database, *rows)
    expected = [row.call_id for row in sorted(rows, key=lambda row: (row.created_at, row.call_id.encode()))][::-1]
    for limit in (7, 16, 80, 100):
        pages = await page_through(database, CallFilter(), limit)
        assert [call_id for page in pages for call_id in page] == expected
        assert {len(page) for page in pages[:-1]} <= {limit}
    assert await page_through(database, CallFilter(code="unknown"), 5) == [[]]


async def test_a_call_that_comes_in_meanwhile_does_not_shift_the_next_page(database: Database) -> None:
    await save(database, *(call_row(str(number), created_at=float(number)) for number in range(4)))
    async with database.read() as connection:
        first, cursor = await page_calls(connection, CallFilter(), 2)
    await save(database, call_row("new", created_at=9.0))
    async with database.read() as connection:
        second, end = await page_calls(connection, CallFilter(), 2, cursor)
    assert [row.call_id for row in first + second] == ["3", "2", "1", "0"]
    assert end is None


async def test_filters(database: Database) -> None:
    ended = {"state": "ended", "ended_at": 1_700_000_060.0}
    await save(
        database,
        call_row("plain", created_at=100.0),
        call_row("caller", created_at=200.0, caller="01099998888"),
        call_row("did", created_at=300.0, did="07012345678", **ended),
        call_row("code", created_at=400.0, code="other-app"),
        call_row("server", created_at=500.0, server="second", **ended),
        call_row("merged", created_at=600.0, merged_into="plain", **ended),
    )

    async def chosen(**wanted: Any) -> list[str]:
        pages = await page_through(database, CallFilter(**wanted), 100)
        return pages[0]

    assert await chosen() == ["server", "code", "did", "caller", "plain"]
    assert await chosen(merged=True) == ["merged", "server", "code", "did", "caller", "plain"]
    assert await chosen(state="live") == ["code", "caller", "plain"]
    assert await chosen(state="ended") == ["server", "did"]
    assert await chosen(callers=("+821099998888", "01099998888")) == ["caller"]
    assert await chosen(dids=("+827012345678", "07012345678")) == ["did"]
    assert await chosen(code="other-app") == ["code"]
    assert await chosen(server="second") == ["server"]
    assert await chosen(since=200.0, until=400.0) == ["did", "caller"]


@pytest.mark.parametrize("cursor", ["", "x", "!!!!", "bnVsbA", "WzEsMl0", "W10", "é"])
async def test_a_cursor_of_somebody_elses_is_refused(database: Database, cursor: str) -> None:
    async with database.read() as connection:
        with pytest.raises(CursorError):
            await page_calls(connection, CallFilter(), 10, cursor)
