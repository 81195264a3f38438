"""Entries from JSON files, right and wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.directory.contract import Entry
from daemon.directory.entry_file import EntryFileError, read_entries
from tests.daemon.directory.conftest import EXAMPLES


def read(*rows: Any) -> list[Entry]:
    return read_entries(json.dumps(rows).encode())


def mistakes(content: bytes) -> list[str]:
    with pytest.raises(EntryFileError) as caught:
        read_entries(content)
    return caught.value.mistakes


def test_rows_of_services_and_codes_are_taken_as_they_are() -> None:
    assert read({"service": "휴가 신청", "service_code": "HR01"}, {"service": "회의실", "service_code": 7}) == [
        Entry(entry_id="service:HR01", kind="service", name="휴가 신청", code="HR01"),
        Entry(entry_id="service:7", kind="service", name="회의실", code="7"),
    ]


def test_further_rows_of_a_service_are_further_names() -> None:
    [entry] = read(
        {"service": "휴가 신청", "service_code": "HR01"},
        {"service": "연차 내기", "service_code": "HR01"},
        {"service": "휴가 신청", "service_code": "HR01", "keywords": ["vacation"]},
    )
    assert entry == Entry(
        entry_id="service:HR01", kind="service", name="휴가 신청", code="HR01", keywords=("연차 내기", "vacation")
    )


def test_every_field_is_read() -> None:
    row = {
        "id": "p1",
        "kind": "person",
        "name": " 홍길동 ",
        "code": "1001",
        "description": None,
        "keywords": ["팀장", "", "팀장"],
        "number": "010-1234-5678",
        "team": "인사팀",
    }
    assert read(row) == [
        Entry(
            entry_id="p1",
            kind="person",
            name="홍길동",
            code="1001",
            keywords=("팀장",),
            number="01012345678",
            team="인사팀",
        )
    ]
    assert read({"kind": "team", "name": "인사팀"})[0].entry_id == "team:인사팀"


def test_every_mistake_is_said_with_its_row() -> None:
    rows: list[Any] = [
        {"name": "인사팀"},
        "인사팀",
        {"nmae": "인사팀"},
        {"name": "인사팀", "service": "인사팀"},
        {"name": "!"},
        {"code": "1"},
        {"name": 7},
        {"name": "가", "kind": "robot"},
        {"name": "가", "number": "call me"},
        {"name": "가\0"},
        {"name": "가" * 201},
        {"name": "가", "keywords": "나"},
        {"name": "가", "keywords": [1]},
        {"name": "가", "keywords": ["나"] * 51},
        {"name": "인사팀", "number": "7100"},
        {"name": "가", "code": True},
    ]
    said = mistakes(json.dumps(rows).encode())
    assert [mistake.partition(":")[0] for mistake in said] == [f"row {number}" for number in range(2, 17)]
    assert 'did you mean "name"?' in said[1]
    assert "service, person, team" in said[6]
    assert "row 1 is the same entry" in said[13]


def test_two_people_of_one_name_want_ids() -> None:
    twice = {"kind": "person", "name": "김예시"}
    assert mistakes(json.dumps([twice, twice]).encode()) == [
        "row 2: row 1 is the same entry; give each its own id or code"
    ]
    assert len(read(twice | {"code": "1"}, twice | {"code": "2"})) == 2


@pytest.mark.parametrize("content", [b"", b"{", b'{"name": "a"}', b"\xff", b"[" * 100_000, b'"a"'])
def test_what_is_no_array_is_refused(content: bytes) -> None:
    [mistake] = mistakes(content)
    assert mistake.startswith("this is no JSON")


def test_a_mark_of_utf_8_and_an_empty_array_are_taken() -> None:
    assert read_entries(b"\xef\xbb\xbf[]") == []


def test_the_example_files_are_right() -> None:
    entries = read_entries((EXAMPLES / "entries.json").read_bytes())
    assert {entry.kind for entry in entries} == {"service", "person", "team"}
    assert all(entry.number for entry in entries)
    services = read_entries((EXAMPLES / "services.json").read_bytes())
    assert services[0].keywords == ("연차 내기",)


values = st.recursive(st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)), st.lists, max_leaves=4)
fields = st.sampled_from(["name", "service", "code", "service_code", "kind", "keywords", "number", "id", "x"])


@given(st.lists(st.one_of(values, st.dictionaries(fields, values)), max_size=5))
def test_any_array_is_read_or_refused_with_rows(rows: list[Any]) -> None:
    try:
        entries = read_entries(json.dumps(rows).encode())
    except EntryFileError as error:
        entries = []
        said = error.mistakes
    else:
        said = []
    assert all(mistake.startswith("row ") or "no JSON" in mistake for mistake in said)
    assert bool(entries) == (bool(rows) and not said)
    assert len({entry.entry_id for entry in entries}) == len(entries)
