"""Bodies of any shape: read as far as they are JSON, never refused, and nothing in them that cannot be stored."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.webhooks.payload import at, read_object, storable

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'[{"a": 1}]',
        b'"text"',
        b"1",
        b"a=1&b=2",
        b"payload=%7B%7D",
        b"{",
        b'{"a": 1}x',
        b"\0",
        b"\xff\xfe{\0}\0",
        b"[" * 100_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    ],
)
def test_what_is_no_object_is_an_empty_one(body: bytes) -> None:
    assert read_object(body) == {}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a": "\\ud800b", "\\udfff": 1}', {"a": "\ufffdb", "\ufffd": 1}),
        (b'{"a": "x\\u0000y", "n\\u0000": ["\\u0000"]}', {"a": "xy", "n": [""]}),
        (b'{"a": "x\0y"}', {"a": "xy"}),
        (b'{"a": "x\ny"}', {"a": "x\ny"}),
        (b'{"a": "x\xffy"}', {"a": "x\ufffdy"}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"a": 1e999}', {"a": float("inf")}),
        (b'{"a": ' + b"1" * 5000 + b"}", {"a": float("inf")}),
        ('{"a": "\\ud55c글😀"}'.encode(), {"a": "한글😀"}),
        (b'{"a": "\\\\u0000"}', {"a": "\\u0000"}),
    ],
)
def test_what_is_nearly_json_is_read(body: bytes, expected: dict[str, Any]) -> None:
    assert read_object(body) == expected


@given(st.dictionaries(st.text(max_size=5), json_values))
def test_any_object_is_read_as_it_is_but_for_nuls(document: dict[str, Any]) -> None:
    for ensure_ascii in (True, False):
        read = read_object(json.dumps(document, ensure_ascii=ensure_ascii).encode())
        plain = json.dumps(document, ensure_ascii=False).replace("\\u0000", "")
        # Two keys may be one without their NULs.
        if "\\u0000" not in json.dumps(document):
            assert read == document == json.loads(plain)
        assert "\\u0000" not in msgspec.json.encode(read).decode().replace("\\\\", "")


@given(st.binary(max_size=100) | st.binary(max_size=60).map(lambda inner: b'{"a": "' + inner + b'"}'))
def test_any_bytes_give_an_object_that_can_be_written_again(body: bytes) -> None:
    written = msgspec.json.encode(read_object(body))
    assert b"\\u0000" not in written.replace(b"\\\\", b"")


def test_at_goes_down_objects_and_lists() -> None:
    document = {"a": {"b": [{"c": 1}, 2]}, "0": 3}
    assert at(document, "a", "b", "0", "c") == 1
    assert at(document, "a", "b", "1") == 2
    assert at(document, "0") == 3
    for path in (("x",), ("a", "x"), ("a", "b", "2"), ("a", "b", "-1"), ("a", "b", "٠"), ("a", "b", "9" * 5000),
                 ("0", "a"), ("a", "b", "0", "c", "d")):  # fmt: skip
        assert at(document, *path) is None


@given(st.text(st.characters()) | st.text(st.characters(categories=["Cs", "Cc"])))
def test_storable_text_is_utf8_without_nul(text: str) -> None:
    assert b"\0" not in storable(text).encode()
    if "\0" not in text and text.encode(errors="replace").decode() == text:
        assert storable(text) == text
