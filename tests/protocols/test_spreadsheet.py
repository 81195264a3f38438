"""Tables for spreadsheets."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.spreadsheet import RowError, csv_rows, csv_table, harmless

TEXT = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]))


@pytest.mark.parametrize("cell", ["=1+1", "+82", "-1", "@x", "\tx", "\rx", "\nx", "＝1+1", "＋82", "－1", "＠x"])
def test_formulas_are_texts(cell: str) -> None:
    assert harmless(cell) == "'" + cell


@given(st.lists(st.tuples(TEXT, TEXT)))
def test_what_is_written_is_read(rows: list[tuple[str, str]]) -> None:
    written = csv_table(("이름", "답"), rows)
    assert written.startswith("\ufeff이름,답\r\n")
    read = list(csv.reader(io.StringIO(written.removeprefix("\ufeff"), newline="")))
    assert [tuple(row) for row in read[1:]] == rows


def test_a_row_is_told_with_the_line_it_begins_on() -> None:
    assert list(csv_rows('a,b\r\n"두\n줄",c\r\n\r\nd\r\n')) == [
        (1, ["a", "b"]),
        (2, ["두\n줄", "c"]),
        (4, []),
        (5, ["d"]),
    ]
    rows = csv_rows('a\n"b"c\n')
    assert next(rows) == (1, ["a"])
    with pytest.raises(RowError, match="line 2: the row cannot be read") as refusal:
        next(rows)
    assert refusal.value.line == 2
