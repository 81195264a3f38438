"""Utterances in the store, on both engines: once, in order, unchanged."""

from __future__ import annotations

import msgspec
import pytest

from daemon.stores.database import Database, RowRefusedError
from daemon.stores.utterances import UtteranceRow, add_utterances, last_seq, utterance_is_stored, utterances_of
from tests.daemon.stores.rows import utterance_row


async def add(database: Database, *rows: UtteranceRow) -> None:
    async with database.transaction() as connection:
        await add_utterances(connection, rows)


async def read(database: Database, call_id: str, after: int = 0, limit: int | None = None) -> list[UtteranceRow]:
    async with database.read() as connection:
        return await utterances_of(connection, call_id, after, limit)


async def test_utterances_come_back_in_order_of_seq(database: Database) -> None:
    rows = [utterance_row("a", seq) for seq in (1, 2, 3)]
    rows[1] = utterance_row("a", 2, start=None, end=None, confidence=None, text="첫 줄\n둘째 줄 🙂")
    await add(database, rows[2], utterance_row("b", 1), rows[0], rows[1])
    assert await read(database, "a") == rows
    assert await read(database, "a", after=1) == rows[1:]
    assert await read(database, "a", limit=2) == rows[:2]
    async with database.read() as connection:
        assert await last_seq(connection, "a") == 3
        assert await last_seq(connection, "nobody") == 0
        assert await utterance_is_stored(connection, "a", "a-2")
        assert not await utterance_is_stored(connection, "b", "a-2")


async def test_a_stored_final_never_changes(database: Database) -> None:
    row = utterance_row("a", 1)
    await add(database, row)
    await add(database, msgspec.structs.replace(row, text="다른 말"), utterance_row("a", 2))
    assert await read(database, "a") == [row, utterance_row("a", 2)]


async def test_two_utterances_cannot_have_one_seq(database: Database) -> None:
    await add(database, utterance_row("a", 1))
    with pytest.raises(RowRefusedError):
        await add(database, utterance_row("a", 2), utterance_row("a", 1, utterance_id="another"))
    assert await read(database, "a") == [utterance_row("a", 1)]


async def test_a_seq_begins_at_one(database: Database) -> None:
    with pytest.raises(RowRefusedError):
        await add(database, utterance_row("a", 0))
