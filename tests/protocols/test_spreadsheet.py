"""Tables for spreadsheets."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.spreadsheet import csv_table, harmless

TEXT = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]))


@pytest.mark.parametrize("cell", ["=1+1", "+82", "-1", "@x", "\tx", "\rx"])
def test_formulas_are_texts(cell: str) -> None:
    assert harmless(cell) == "'" + cell


@given(st.lists(st.tuples(TEXT, TEXT)))
def test_what_is_written_is_read(rows: list[tuple[str, str]]) -> None:
    written = csv_table(("이름", "답"), rows)
    assert written.startswith("\ufeff이름,답\r\n")
    read = list(csv.reader(io.StringIO(written.removeprefix("\ufeff"), newline="")))
    assert [tuple(row) for row in read[1:]] == rows
