"""What a tool takes: its schema, and arguments from a body and from a query."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.plugins import PluginError, load
from daemon.tools.arguments import Arguments, ArgumentsError
from protocols.dcmiws.diversions import DiversionKind
from tests.daemon.tools.example_tools import Address

EXAMPLES = "tests.daemon.tools.example_tools"
ORDER = Arguments(load(f"{EXAMPLES}:order_status"))

SCHEMA = {
    "type": "object",
    "properties": {
        "order": {"type": "string", "pattern": r"^\d{1,8}$", "description": "The order's number."},
        "days": {
            "type": "integer",
            "minimum": 1,
            "maximum": 30,
            "description": "How far to look back.",
            "default": 7,
        },
        "colour": {"anyOf": [{"enum": ["blue", "red"]}, {"type": "null"}], "default": None},
        "address": {
            "anyOf": [
                {
                    "title": "Address",
                    "description": "Where it goes.",
                    "type": "object",
                    "properties": {
                        "street": {"type": "string"},
                        "floor": {
                            "anyOf": [{"type": "integer", "minimum": -5, "maximum": 100}, {"type": "null"}],
                            "default": None,
                        },
                    },
                    "required": ["street"],
                },
                {"type": "null"},
            ],
            "default": None,
        },
        "kind": {
            "title": "DiversionKind",
            "description": "When a call is forwarded.",
            "enum": ["BUSY", "IMMEDIATE", "NO_ANSWER", "UNAVAILABLE"],
            "default": "BUSY",
        },
        "tags": {"type": "array", "items": {"type": "string"}, "default": []},
        "express": {"type": "boolean", "default": False},
    },
    "required": ["order"],
}


def test_a_schema_is_made_of_the_types_and_refers_to_nothing() -> None:
    assert ORDER.schema == SCHEMA
    assert Arguments(load(f"{EXAMPLES}:refuse")).schema == {"type": "object", "properties": {}, "required": []}


def test_a_body_is_read_strictly_and_what_is_not_asked_for_is_ignored() -> None:
    body = {"order": "12", "address": {"street": "한빛로 1"}, "tags": ["a"], "kind": "NO_ANSWER", "more": {}}
    read = ORDER.of_body(json.dumps(body, ensure_ascii=False).encode())
    assert read == {
        "order": "12",
        "days": 7,
        "colour": None,
        "address": Address(street="한빛로 1"),
        "kind": DiversionKind.NO_ANSWER,
        "tags": ["a"],
        "express": False,
    }
    assert Arguments(load(f"{EXAMPLES}:fail")).of_body(b"") == {"secret": ""}


def test_a_query_is_read_as_what_is_wanted() -> None:
    read = ORDER.of_query([("order", "12"), ("days", "3"), ("express", "true"), ("tags", "하나"), ("token", "x")])
    assert (read["days"], read["express"], read["tags"]) == (3, True, ["하나"])
    assert ORDER.of_query([("order", "1"), ("tags", "a"), ("tags", "b")])["tags"] == ["a", "b"]
    maybe = Arguments(load(f"{EXAMPLES}:choose"))
    assert [maybe.of_query([("colours", each) for each in given])["colours"] for given in ("", "a", "ab")] == [
        None,
        ["a"],
        ["a", "b"],
    ]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "Object missing required field `order`"),
    ({"order": "주문 12번"}, r"order: Expected `str` matching regex '^\\d{1,8}$'"),
    ({"order": "1", "days": "세 번"}, "days: Expected `int`, got `str`"),
    ({"order": "1", "days": 99}, "days: Expected `int` <= 30"),
    (
        {"order": "1", "address": {"street": "한빛로", "floor": "지하"}},
        "address.floor: Expected `int | null`, got `str`",
    ),
    ({"order": "1", "tags": ["가", 2]}, "tags[1]: Expected `str`, got `int`"),
    ({"order": "1", "kind": "바쁨"}, "kind: Invalid enum value '바쁨'"),
]


@pytest.mark.parametrize(("body", "said"), WRONG)
def test_what_does_not_fit_is_named(body: dict[str, Any], said: str) -> None:
    with pytest.raises(ArgumentsError) as raised:
        ORDER.of_body(json.dumps(body, ensure_ascii=False).encode())
    assert str(raised.value) == said


@pytest.mark.parametrize("query", [[], [("order", "가")], [("order", "1"), ("order", "2")], [("days", "9" * 5000)]])
def test_what_does_not_fit_in_a_query_is_named(query: list[tuple[str, str]]) -> None:
    with pytest.raises(ArgumentsError):
        ORDER.of_query(query)


@pytest.mark.parametrize("body", [b"[]", b"null", b"{", b"\xff", b'{"order": "\xff"}', b"[" * 100_000, b'"a"'])
def test_what_is_no_json_object_is_said(body: bytes) -> None:
    with pytest.raises(ArgumentsError):
        ORDER.of_body(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_arguments_or_not(body: bytes) -> None:
    try:
        read = ORDER.of_body(body)
    except ArgumentsError as error:
        read, said = {}, str(error)
        assert said
    assert not read or read["order"].isdigit()


@given(st.lists(st.tuples(st.sampled_from(["order", "days", "tags", "express", "address"]), st.text(max_size=9))))
def test_any_query_is_arguments_or_not(query: list[tuple[str, str]]) -> None:
    try:
        read = ORDER.of_query(query)
    except ArgumentsError:
        return
    assert 1 <= read["days"] <= 30


def test_an_argument_that_no_json_can_hold_is_no_argument() -> None:
    with pytest.raises(PluginError, match="cannot be read from JSON"):
        Arguments(load(f"{EXAMPLES}:takes_what_no_json_holds"))
