"""Entries of the directory from a JSON file (RFC 8259): all of them, or what is wrong.

The file is an array of objects. ``name`` says what an entry is called; ``kind`` (``service`` where it is left out),
``id``, ``code``, ``description``, ``keywords`` (an array), ``number`` and ``team`` may stand beside it. ``service`` and
``service_code`` are other words for ``name`` and ``code``, as others write their lists of services.

Without an ``id`` an entry is known by its kind and code, or its name where it has no code. Further rows of one service
that say nothing but another name give it that name too.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Sequence
from typing import Any, Final, get_args

import msgspec

from daemon.calls.numbers import NumberError, normal_number
from daemon.directory.contract import Entry, Kind
from protocols.hangul import words

_OTHER_WORDS: Final = {"service": "name", "service_code": "code"}
_TEXTS: Final = {"kind": 20, "id": 200, "name": 200, "description": 2000, "code": 100, "number": 40, "team": 200}
"""The fields that are text, and how many characters of it are taken."""
_KEYWORDS: Final = "keywords"
_MOST_KEYWORDS: Final = 50
_LONGEST_KEYWORD: Final = 100


class EntryFileError(Exception):
    """The file is not taken. ``mistakes`` are all that were found, each with its row, counted from 1."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__(f"{len(mistakes)} mistake{'s' if len(mistakes) != 1 else ''}")
        self.mistakes = list(mistakes)


def read_entries(content: bytes) -> list[Entry]:
    """The entries in ``content``, in its order. Raises :class:`EntryFileError`."""
    entries: dict[str, Entry] = {}
    row_of: dict[str, int] = {}
    mistakes: list[str] = []
    for number, row in enumerate(_rows(content), 1):
        try:
            entry = _entry(row)
            first = entries.get(entry.entry_id)
            entries[entry.entry_id] = entry if first is None else _joined(first, entry, row_of[entry.entry_id])
            row_of.setdefault(entry.entry_id, number)
        except ValueError as error:
            mistakes.append(f"row {number}: {error}")
    if mistakes:
        raise EntryFileError(mistakes)
    return list(entries.values())


def _rows(content: bytes) -> list[Any]:
    try:
        rows = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EntryFileError([f"this is no JSON ({error})"]) from error
    if not isinstance(rows, list):
        raise EntryFileError(["this is no JSON array; write [{…}, {…}]"])
    return rows


def _entry(row: Any) -> Entry:
    """Raises ``ValueError`` with what is wrong with the row."""
    fields = _fields(row)
    keywords = _keywords(fields.pop(_KEYWORDS, []))
    texts = {name: _text(name, value) for name, value in fields.items()}
    kind = texts.get("kind") or "service"
    if kind not in get_args(Kind):
        raise ValueError(f'there is no kind "{kind}"; it is one of {", ".join(get_args(Kind))}')
    name, code = texts.get("name", ""), texts.get("code", "")
    if not words(name):
        raise ValueError("there is no letter and no digit in its name" if name else "the name is missing")
    try:
        number = normal_number(texts["number"]) if texts.get("number") else ""
    except NumberError as error:
        raise ValueError(str(error)) from error
    return Entry(
        entry_id=texts.get("id") or f"{kind}:{code or name}",
        kind=kind,  # type: ignore[arg-type]
        name=name,
        description=texts.get("description", ""),
        keywords=keywords,
        code=code,
        number=number,
        team=texts.get("team", ""),
    )


def _fields(row: Any) -> dict[str, Any]:
    """The fields by their own names, without those that are null."""
    if not isinstance(row, dict):
        raise ValueError("this is no object; write {…}")
    fields: dict[str, Any] = {}
    for said, value in row.items():
        name = _OTHER_WORDS.get(said, said)
        if name not in _TEXTS and name != _KEYWORDS:
            close = difflib.get_close_matches(said, [*_TEXTS, _KEYWORDS, *_OTHER_WORDS], n=1)
            raise ValueError(f'there is no field "{said[:40]}"' + (f'; did you mean "{close[0]}"?' if close else ""))
        if name in fields:
            raise ValueError(f'"{said}" is another word for a field that stands there too')
        if value is not None:
            fields[name] = value
    return fields


def _text(name: str, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and name in ("id", "code"):
        value = str(value)
    if not isinstance(value, str):
        raise ValueError(f"its {name} is no text")
    if "\0" in value:
        raise ValueError(f"there is a character in its {name} that no text has (NUL)")
    text = unicodedata.normalize("NFC", value).strip()
    if len(text) > _TEXTS.get(name, _LONGEST_KEYWORD):
        raise ValueError(f"its {name} is longer than {_TEXTS.get(name, _LONGEST_KEYWORD)} characters")
    return text


def _keywords(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError('its keywords are no array; write ["…", "…"]')
    if len(value) > _MOST_KEYWORDS:
        raise ValueError(f"it has more than {_MOST_KEYWORDS} keywords")
    found = [_text("keyword", keyword) for keyword in value]
    return tuple(dict.fromkeys(keyword for keyword in found if keyword))


def _joined(first: Entry, other: Entry, row: int) -> Entry:
    """One entry of two rows of the same id, of which the second says but another name."""
    bare = Entry(entry_id=other.entry_id, kind="service", name=other.name, keywords=other.keywords, code=other.code)
    if not other.code or other != bare:
        raise ValueError(f"row {row} is the same entry; give each its own id or code")
    further = [name for name in (*first.keywords, other.name, *other.keywords) if name != first.name]
    return msgspec.structs.replace(first, keywords=tuple(dict.fromkeys(further)))
