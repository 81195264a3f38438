"""Contacts from a file of comma-separated values (RFC 4180), as a spreadsheet saves it: all of them, or what is wrong.

The first row names the columns: ``number`` and ``name``, each further one a variable, and those that begin with
``meta.`` the metadata. An empty cell is none. Numbers are brought into their normal form.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from daemon.calls.numbers import NumberError, normal_number
from daemon.stores.contacts import ContactRow
from protocols.spreadsheet import RowError, csv_rows

_NUMBER: Final = "number"
_NAME: Final = "name"
_META: Final = "meta."


class ContactFileError(Exception):
    """The file is not taken. ``mistakes`` are all that were found, each with its line."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__(f"{len(mistakes)} mistake{'s' if len(mistakes) != 1 else ''}")
        self.mistakes = list(mistakes)


def read_contacts(content: bytes) -> list[ContactRow]:
    """The contacts in ``content``, in its order. Raises :class:`ContactFileError`."""
    rows = _rows(_text(content))
    try:
        _, header = next(rows)
    except StopIteration:
        raise ContactFileError(["the file is empty: its first row names the columns, number and name first"]) from None
    columns = [column.strip() for column in header]
    mistakes = _wrong_columns(columns)
    if mistakes:
        raise ContactFileError(mistakes)
    contacts: list[ContactRow] = []
    line_of: dict[str, int] = {}
    for line, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        try:
            contact = _contact(columns, cells)
        except ValueError as error:
            mistakes.append(f"line {line}: {error}")
            continue
        first = line_of.setdefault(contact.number, line)
        if first != line:
            mistakes.append(f"line {line}: the number stands on line {first} too")
        contacts.append(contact)
    if mistakes:
        raise ContactFileError(mistakes)
    return contacts


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        try:
            content.decode("cp949")
        except UnicodeDecodeError:
            remedy = "save it as UTF-8"
        else:
            remedy = 'it may be CP949: save it as "CSV UTF-8", or run iconv -f CP949 -t UTF-8 on it'
        raise ContactFileError([f"line {line}: this is not UTF-8 text; {remedy}"]) from error


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    try:
        yield from csv_rows(text)
    except RowError as error:
        raise ContactFileError([str(error)]) from error


def _wrong_columns(columns: list[str]) -> list[str]:
    mistakes = [f'line 1: there is no column "{name}"' for name in (_NUMBER, _NAME) if name not in columns]
    mistakes += [f'line 1: the column "{name}" stands there twice' for name in _doubles(columns)]
    if any(column in ("", _META) for column in columns):
        mistakes.append("line 1: a column has no name")
    return mistakes


def _doubles(columns: list[str]) -> list[str]:
    return [name for name in dict.fromkeys(columns) if name and columns.count(name) > 1]


def _contact(columns: list[str], cells: list[str]) -> ContactRow:
    """Raises ``ValueError`` with what is wrong with the row."""
    if len(cells) != len(columns):
        raise ValueError(f"it has {len(cells)} cells and the first row {len(columns)}")
    values = {column: cell.strip() for column, cell in zip(columns, cells, strict=True) if cell.strip()}
    if any("\0" in value for value in values.values()):
        raise ValueError("there is a character in it that no text has (NUL)")
    if _NUMBER not in values:
        raise ValueError("the number is missing")
    try:
        number = normal_number(values.pop(_NUMBER))
    except NumberError as error:
        raise ValueError(str(error)) from error
    name = values.pop(_NAME, "")
    metadata = {
        column.removeprefix(_META): values.pop(column)
        for column in columns
        if column.startswith(_META) and column in values
    }
    return ContactRow(number=number, name=name, variables=values, metadata=metadata)
