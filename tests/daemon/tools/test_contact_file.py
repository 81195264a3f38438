"""Contacts from a file: everything that is in it, or everything that is wrong with it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.stores.contacts import ContactRow
from daemon.tools.contact_file import ContactFileError, read_contacts


def mistakes_in(content: str | bytes) -> list[str]:
    with pytest.raises(ContactFileError) as raised:
        read_contacts(content.encode() if isinstance(content, str) else content)
    return raised.value.mistakes


def test_columns_become_name_variables_and_metadata() -> None:
    content = 'number, name ,등급,meta.crm\r\n010-1234-5678,홍길동,우수,C-1\r\n+82 2 123 4567,,"a,b ""c""",\r\n\r\n'
    assert read_contacts(content.encode()) == [
        ContactRow(number="01012345678", name="홍길동", variables={"등급": "우수"}, metadata={"crm": "C-1"}),
        ContactRow(number="021234567", variables={"등급": 'a,b "c"'}),
    ]


def test_a_spreadsheet_s_mark_at_the_beginning_is_no_part_of_the_first_column() -> None:
    assert read_contacts("\ufeffnumber,name\n1010,안내\n".encode()) == [ContactRow(number="1010", name="안내")]


def test_every_wrong_row_is_named_by_the_line_it_begins_on() -> None:
    content = (
        "number,name,note\n"
        '01011112222,가,"두 줄\n메모"\n'
        "01012345678,나\n"
        ",다,x\n"
        "1.01235E+09,라,x\n"
        "+82 10 1111 2222,마,x\n"
        "01033334444,바,x\0y\n"
    )
    assert mistakes_in(content) == [
        "line 4: it has 2 cells and the first row 3",
        "line 5: the number is missing",
        "line 6: a phone number has 2 to 20 digits, with a + in front at most",
        "line 7: the number stands on line 2 too",
        "line 8: there is a character in it that no text has (NUL)",
    ]


def test_a_first_row_that_names_too_little_or_too_much_is_the_only_mistake() -> None:
    assert mistakes_in("번호,name,a,a,,meta.\n,,,\n") == [
        'line 1: there is no column "number"',
        'line 1: the column "a" stands there twice',
        "line 1: a column has no name",
    ]
    assert mistakes_in("")[0].startswith("the file is empty")


def test_text_of_another_encoding_is_recognised() -> None:
    (mistake,) = mistakes_in("number,name\n1010,안내\n".encode("cp949"))
    assert mistake.startswith("line 2: this is not UTF-8 text; it may be CP949")
    (mistake,) = mistakes_in(b"number,name\n1010,\xff\xff\n")
    assert mistake == "line 2: this is not UTF-8 text; save it as UTF-8"


def test_a_quote_that_is_never_closed_is_named() -> None:
    (mistake,) = mistakes_in('number,name\n1010,안내\n1011,"끝없는\n1012,다\n')
    assert mistake.startswith("line 3: the row cannot be read")


@given(st.binary(max_size=200))
def test_any_bytes_are_contacts_or_mistakes(content: bytes) -> None:
    for head in (b"", b"number,name,x\n"):
        try:
            assert all(row.number for row in read_contacts(head + content))
        except ContactFileError as error:
            found = error.mistakes
        else:
            continue
        assert found


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


@given(st.lists(st.tuples(cells, cells), max_size=5))
def test_what_a_spreadsheet_writes_is_read_back(rows: list[tuple[str, str]]) -> None:
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(["number", "name", "x"])
    writer.writerows([f"0101234{at:04}", name, value] for at, (name, value) in enumerate(rows))
    read = read_contacts(written.getvalue().encode())
    assert [(row.name, row.variables.get("x", "")) for row in read] == [
        (name.strip(), value.strip()) for name, value in rows
    ]
