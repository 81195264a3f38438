"""Cutting members out of a JSON text: what is left is the same bytes, and reads as if they had never been there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.webhooks.json_members import cut_members, find_members, read_text
from protocols.webhooks.payload import read_object

names = st.sampled_from(["keep", "gone", "also", "goné", 'q"u\\ote'])
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=15,
)
writings = st.sampled_from(
    [
        {"separators": (",", ":")},
        {"indent": 2},
        {"indent": "\t", "ensure_ascii": False},
        {"separators": (" ,\r\n", "\t: "), "ensure_ascii": False},
    ]
)


def without(document: Any, gone: set[str]) -> Any:
    if isinstance(document, dict):
        return {key: without(value, gone) for key, value in document.items() if key not in gone}
    return [without(item, gone) for item in document] if isinstance(document, list) else document


@given(documents, writings, st.sets(names))
def test_what_is_cut_is_gone_and_all_else_is_there(document: Any, writing: dict[str, Any], gone: set[str]) -> None:
    body = json.dumps(document, **writing).encode()
    members = find_members(body)
    assert members is not None
    cut = cut_members(body, members, [member for member in members if member.key in gone])
    assert json.loads(cut) == without(document, gone)
    if not gone:
        assert cut == body


@given(documents, writings)
def test_a_member_is_where_it_is_said_to_be(document: Any, writing: dict[str, Any]) -> None:
    body = json.dumps(document, **writing).encode()
    members = find_members(body)
    assert members is not None
    for index, member in enumerate(members):
        assert list(json.loads(b"{" + body[member.start : member.end] + b"}")) == [member.key]
        json.loads(body[member.value : member.end])
        assert member.owner < index
        if member.owner >= 0:
            owner = members[member.owner]
            assert owner.value < member.start
            assert member.end < owner.end


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"{", b"}", b"[", b"[1,]", b"[,1]", b'{"a"}', b'{"a":}', b'{"a":1,}', b'{,"a":1}', b'{"a" 1}', b'{a:1}',
     b'{"a":1 "b":2}', b"[1 2]", b"{}{}", b"{} x", b'{"a":1]', b"[1}", b'"open', b'"open\\"', b"{1:2}", b":", b","],
)  # fmt: skip
def test_what_is_no_json_has_no_members(body: bytes) -> None:
    assert find_members(body) is None


@pytest.mark.parametrize("body", [b"1", b"null", b"[]", b" {} ", b'"x"', b"\xef\xbb\xbf{}", b"[[],{},[{}]]"])
def test_json_without_members_has_none(body: bytes) -> None:
    assert find_members(body) == []


def test_more_than_json_readers_take_is_taken() -> None:
    for body in (
        b'{"a": "\\ud800", "gone": 1, "b": NaN}',
        b'{"a": "\xff\0\n", "gone": 1}',
        b'{"gone": 1, "a": "\\x", "gone": 2}',
        b'\xef\xbb\xbf{"gone": 1, "a": ' + b"9" * 10_000 + b"}",
        b'{"a":' + b'[{"b":' * 50_000 + b'{"gone":1}' + b"}]" * 50_000 + b"}",
    ):
        members = find_members(body)
        assert members is not None
        cut = cut_members(body, members, [member for member in members if member.key == "gone"])
        assert b"gone" not in cut
        assert b'"a"' in cut


def test_a_key_that_is_written_with_escapes_is_the_same_key() -> None:
    members = find_members(b'{"\\u0067one": 1, "\\x": 2}')
    assert members is not None
    assert [member.key for member in members] == ["gone", "\\x"]
    assert read_text(b'"\\ud55c"') == "한"


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda inner: b'{"a": ' + inner + b"}"))
def test_whatever_is_read_as_an_object_has_its_members_found(body: bytes) -> None:
    members = find_members(body)
    assert members is not None or read_object(body) == {}
