"""People from a file: everything that is in it, or everything that is wrong with it."""

from __future__ import annotations

import csv
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.accounts.people_file import PeopleFileError, PersonLine, read_people
from daemon.calls.numbers import EXTENSION_RULE


def mistakes_in(content: str | bytes) -> list[str]:
    with pytest.raises(PeopleFileError) as raised:
        read_people(content.encode() if isinstance(content, str) else content)
    return raised.value.mistakes


KOREAN = (
    "이름,이메일,팀,팀장 이메일,역할,내선,테넌트,아이디\r\n"
    "김미나,Mina@Example.com,영업팀,lead@example.com,운영,2001,main,MINA\r\n"
    "박준,jun@example.com,,,,,,\r\n"
)
ENGLISH = (
    "full name,Email,team,Manager_Email,ROLE,extension,tenant,name\n"
    "김미나,Mina@Example.com,영업팀,lead@example.com,operator,2001,main,MINA\n"
    "박준,jun@example.com,,,,,,\n"
)
MINA = PersonLine(
    line=2,
    name="mina",
    full_name="김미나",
    email="mina@example.com",
    team="영업팀",
    role="operator",
    extension="2001",
    tenant="main",
)
JUN = PersonLine(
    line=3, name="", full_name="박준", email="jun@example.com", team="", role=None, extension="", tenant=""
)


@pytest.mark.parametrize("content", [KOREAN, ENGLISH, "\ufeff" + KOREAN, unicodedata.normalize("NFD", KOREAN)])
def test_columns_are_named_in_either_language(content: str) -> None:
    file = read_people(content.encode())
    assert (file.people, file.teams, file.remark) == ([MINA, JUN], {"영업팀": "lead@example.com"}, "")


def test_a_file_of_an_older_spreadsheet_is_read_and_said() -> None:
    file = read_people(KOREAN.encode("cp949"))
    assert file.people == [MINA, JUN]
    assert "CP949" in file.remark


def test_a_column_that_is_not_there_says_nothing() -> None:
    [one] = read_people(b"email\na@example.com\n").people
    assert (one.full_name, one.team, one.role, one.extension, one.tenant) == (None, None, None, None, None)


def test_what_is_neither_encoding_is_refused() -> None:
    assert mistakes_in("email\n박준\n".encode("utf-16")) == [
        'line 1: this is neither UTF-8 nor CP949 text; save it as "CSV UTF-8"'
    ]
    assert mistakes_in(b"email\n\xff\xff\n")[0].startswith("line 2: this is neither")


def test_every_wrong_row_is_named_by_the_line_it_begins_on() -> None:
    content = (
        "아이디,이름,이메일,팀,팀장 이메일,역할,내선\n"
        "a,가,a@example.com,영업팀,lead@example.com,보기,1001\n"
        "b,나\n"
        ",다,,,,,\n"
        "d d,라,d@example,,,사장,-1\n"
        "A,마,A@EXAMPLE.COM,,boss@example.com,관리자,\n"
        "f,바,f,영업팀,other@example.com,,\n"
        f"g,{'사' * 101},,,,,\n"
        'h,"두 줄\n이름",,,,,\n'
        ",,,,,,\n"
        "i,자,i@example.com,,,Admin,*88\n"
        ".,차,,..,,,11a4\n"
    )
    assert mistakes_in(content) == [
        "line 3: it has 2 cells and the first row 7",
        "line 4: neither 이메일/email nor 아이디/name says who it is",
        'line 5: 역할/role: there is no "사장"; there are viewer, operator, admin, 보기, 운영, 관리',
        "line 5: 아이디/name: a name has 1 to 64 characters, none of them a space or control character",
        f"line 5: 내선/extension: {EXTENSION_RULE}",
        "line 6: 아이디/name: the same stands on line 2",
        "line 6: 이메일/email: the same stands on line 2",
        "line 6: 팀장 이메일/manager_email is of a team, and no 팀/team is named",
        "line 7: 이메일/email: an e-mail address has a name, an @ and a host, and nothing around it",
        "line 7: 팀장 이메일/manager_email: another row has another one for the same team",
        "line 8: 이름/full_name: it has more than 100 characters",
        "line 9: there is a line break or a character in it that cannot be seen",
        "line 13: 아이디/name: a name is neither . nor ..",
        "line 13: 팀/team: a name is neither . nor ..",
        f"line 13: 내선/extension: {EXTENSION_RULE}",
    ]


def test_a_first_row_that_names_too_little_or_too_much_is_the_only_mistake() -> None:
    assert mistakes_in("이름,full_name,직급,팀장이메일\n,,,\n") == [
        'line 1: there is no column "직급"; there are 아이디/name, 이름/full_name, 이메일/email, 팀/team, '
        "팀장 이메일/manager_email, 역할/role, 내선/extension, 테넌트/tenant",
        "line 1: the column 이름/full_name stands there twice",
        "line 1: there is no column 이메일/email and none 아이디/name; one of them is needed",
        "line 1: 팀장 이메일/manager_email is of a team, and there is no column 팀/team",
    ]
    assert mistakes_in("")[0].startswith("the file is empty")
    assert mistakes_in('email\n"a@example.com\n')[0].startswith("line 2: the row cannot be read")


@given(st.binary())
def test_no_content_is_read_but_as_people_or_mistakes(content: bytes) -> None:
    mistakes = ["none"]
    try:
        read_people(content)
    except PeopleFileError as error:
        mistakes = error.mistakes
    assert mistakes


CELL = st.text(st.characters(codec="utf-8"), max_size=12)


@given(st.lists(st.tuples(CELL, CELL, CELL, CELL, CELL), max_size=8))
def test_whoever_is_taken_has_an_identity_of_their_own(rows: list[tuple[str, ...]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["name", "email", "team", "role", "extension"])
    writer.writerows((name, f"{email}@example.com" if email else "", *more) for name, email, *more in rows)
    people: list[PersonLine] = []
    mistakes: list[str] = []
    try:
        people = read_people(out.getvalue().encode()).people
    except PeopleFileError as error:
        mistakes = error.mistakes
    assert all(mistake.startswith("line ") for mistake in mistakes)
    assert all(one.name or one.email for one in people)
    for identities in ([one.name for one in people if one.name], [one.email for one in people if one.email]):
        assert len(set(identities)) == len(identities)
