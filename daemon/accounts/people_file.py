"""People from a file of comma-separated values (RFC 4180), as a spreadsheet saves it: all of them, or what is wrong.

The first row names the columns, in Korean or English; a column that is left out changes nothing of people who are
there, an empty cell empties what it stands for. A row without a sign-in name is of the person with its e-mail address,
and else of a new one who signs in by that.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from daemon.accounts.errors import AccountError
from daemon.accounts.names import NO_SEGMENT_RULE, NO_SEGMENTS, checked_name
from daemon.calls.numbers import EXTENSION, EXTENSION_RULE
from daemon.config import Role
from protocols.mail_addresses import MailAddressError, mail_address
from protocols.spreadsheet import RowError, csv_rows

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("아이디", "name"),
    "full_name": ("이름", "full_name"),
    "email": ("이메일", "email"),
    "team": ("팀", "team"),
    "manager_email": ("팀장 이메일", "manager_email"),
    "role": ("역할", "role"),
    "extension": ("내선", "extension"),
    "tenant": ("테넌트", "tenant"),
}
"""What a column stands for, and the names that it may have. Capitals, blanks and underscores do not count."""

_ROLES: Final[Mapping[str, Role]] = {
    "viewer": "viewer",
    "operator": "operator",
    "admin": "admin",
    "보기": "viewer",
    "운영": "operator",
    "관리": "admin",
}
_LONGEST: Final = 100
"""Characters of a person's or a team's name."""


class PeopleFileError(Exception):
    """The file is not taken. ``mistakes`` are all that were found, each with its line."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__(f"{len(mistakes)} mistake{'s' if len(mistakes) != 1 else ''}")
        self.mistakes = list(mistakes)


class PersonLine(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the file. ``""`` is an empty cell, ``None`` a column that is not there; ``name`` is a normal one, and
    ``email`` in lower case. A ``role`` is ``None`` where its cell is empty."""

    line: int
    name: str
    full_name: str | None
    email: str | None
    team: str | None
    role: Role | None
    extension: str | None
    tenant: str | None


class PeopleFile(msgspec.Struct, frozen=True):
    """What is in it: the rows, and of every team that is named its manager's e-mail address, ``None`` where no row has
    one. ``remark`` is what whoever saved it should know, ``""`` for nothing."""

    people: list[PersonLine]
    teams: dict[str, str | None]
    remark: str = ""


def read_people(content: bytes) -> PeopleFile:
    """What is in a file's ``content``. Raises :class:`PeopleFileError`."""
    text, remark = _text(content)
    try:
        rows = list(csv_rows(text))
    except RowError as error:
        raise PeopleFileError([str(error)]) from error
    if not rows:
        raise PeopleFileError(["the file is empty: its first row names the columns, 이메일 or email for one"])
    columns = _columns(rows[0][1])
    reading = _Reading(columns)
    for line, cells in rows[1:]:
        if any(cell.strip() for cell in cells):
            reading.read(line, cells)
    if reading.mistakes:
        raise PeopleFileError(reading.mistakes)
    return PeopleFile(reading.people, reading.teams, remark)


def _text(content: bytes) -> tuple[str, str]:
    """The text, and a remark about how it was found."""
    try:
        return content.decode("utf-8-sig"), ""
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
    if not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return content.decode("cp949"), 'it was read as CP949; saved as "CSV UTF-8" it needs no guess'
        except UnicodeDecodeError:
            pass
    raise PeopleFileError([f'line {line}: this is neither UTF-8 nor CP949 text; save it as "CSV UTF-8"'])


def _columns(header: Sequence[str]) -> list[str]:
    """What each column stands for."""
    known = {_bare(name): column for column, names in COLUMNS.items() for name in names}
    columns = [known.get(_bare(name), "") for name in header]
    mistakes = [
        f'line 1: there is no column "{name.strip()}"; there are {_all_names()}'
        for name, column in zip(header, columns, strict=True)
        if not column
    ]
    twice = [column for column in dict.fromkeys(columns) if column and columns.count(column) > 1]
    mistakes += [f"line 1: the column {_shown(column)} stands there twice" for column in twice]
    if not {"name", "email"} & set(columns):
        mistakes.append(
            f"line 1: there is no column {_shown('email')} and none {_shown('name')}; one of them is needed"
        )
    if "manager_email" in columns and "team" not in columns:
        mistakes.append(f"line 1: {_shown('manager_email')} is of a team, and there is no column {_shown('team')}")
    if mistakes:
        raise PeopleFileError(mistakes)
    return columns


def _bare(name: str) -> str:
    return re.sub(r"[\s_]", "", unicodedata.normalize("NFC", name)).casefold()


def _shown(column: str) -> str:
    return "/".join(COLUMNS[column])


def _all_names() -> str:
    return ", ".join(map(_shown, COLUMNS))


class _Reading:
    """Reads rows one by one and notes what is wrong."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.people: list[PersonLine] = []
        self.teams: dict[str, str | None] = {}
        self.mistakes: list[str] = []
        self._columns = columns
        self._line_of: dict[tuple[str, str], int] = {}

    def read(self, line: int, cells: Sequence[str]) -> None:
        """One more row."""
        if len(cells) != len(self._columns):
            self._wrong(line, f"it has {len(cells)} cells and the first row {len(self._columns)}")
            return
        # Some systems write a syllable as its letters; it is the same name.
        cells = [unicodedata.normalize("NFC", cell).strip() for cell in cells]
        values = dict(zip(self._columns, cells, strict=True))
        before = len(self.mistakes)
        if not all(value.isprintable() for value in values.values()):
            self._wrong(line, "there is a line break or a character in it that cannot be seen")
            return
        email = self._email(line, values, "email")
        manager = self._email(line, values, "manager_email")
        role = self._role(line, values)
        name = self._name(line, values, email)
        self._check(line, values)
        self._once(line, "name", name)
        self._once(line, "email", email)
        self._team(line, values.get("team", ""), manager)
        if len(self.mistakes) == before:
            more = {column: values.get(column) for column in ("full_name", "team", "extension", "tenant")}
            self.people.append(PersonLine(line=line, name=name or "", email=email, role=role, **more))

    def _wrong(self, line: int, text: str) -> None:
        self.mistakes.append(f"line {line}: {text}")

    def _email(self, line: int, values: Mapping[str, str], column: str) -> str | None:
        value = values.get(column)
        if not value:
            return value
        try:
            return mail_address(value).lower()
        except MailAddressError as error:
            self._wrong(line, f"{_shown(column)}: {error}")
            return None

    def _role(self, line: int, values: Mapping[str, str]) -> Role | None:
        value = values.get("role", "")
        role = _ROLES.get(value.casefold().removesuffix("자"))
        if value and role is None:
            self._wrong(line, f'{_shown("role")}: there is no "{value}"; there are {", ".join(_ROLES)}')
        return role

    def _name(self, line: int, values: Mapping[str, str], email: str | None) -> str | None:
        value = values.get("name", "")
        if value:
            try:
                return checked_name(value)
            except AccountError as error:
                self._wrong(line, f"{_shown('name')}: {error}")
        elif not values.get("email"):
            self._wrong(line, f"neither {_shown('email')} nor {_shown('name')} says who it is")
        return None

    def _check(self, line: int, values: Mapping[str, str]) -> None:
        for column in ("full_name", "team"):
            if len(values.get(column, "")) > _LONGEST:
                self._wrong(line, f"{_shown(column)}: it has more than {_LONGEST} characters")
        if values.get("team") in NO_SEGMENTS:
            self._wrong(line, f"{_shown('team')}: {NO_SEGMENT_RULE}")
        extension = values.get("extension", "")
        if extension and not re.fullmatch(EXTENSION, extension):
            self._wrong(line, f"{_shown('extension')}: {EXTENSION_RULE}")

    def _once(self, line: int, column: str, value: str | None) -> None:
        if not value:
            return
        first = self._line_of.setdefault((column, value), line)
        if first != line:
            self._wrong(line, f"{_shown(column)}: the same stands on line {first}")

    def _team(self, line: int, team: str, manager: str | None) -> None:
        if not team:
            if manager:
                self._wrong(line, f"{_shown('manager_email')} is of a team, and no {_shown('team')} is named")
            return
        known = self.teams.setdefault(team, manager)
        if manager and known and known != manager:
            self._wrong(line, f"{_shown('manager_email')}: another row has another one for the same team")
        elif manager:
            self.teams[team] = manager
