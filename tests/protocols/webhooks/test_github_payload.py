"""GitHub's payloads are read in part; what is found is what reading all of them finds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.webhooks.delivery import event_name, stable_id
from protocols.webhooks.github import identify
from protocols.webhooks.payload import at, read_object

HEADERS = {"x-github-event": "push", "x-github-delivery": "d-1"}

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["a\0b", "\ud800", "opened"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["full_name", "action", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)
_payloads = st.dictionaries(st.sampled_from(["action", "repository", "commits"]), _values, max_size=3)


def expected(body: bytes) -> tuple[str, str | None]:
    payload = read_object(body)
    return event_name("push", payload.get("action")), stable_id(at(payload, "repository", "full_name"))


def found(body: bytes) -> tuple[str, str | None]:
    identified = identify(HEADERS, body)
    return identified.event, identified.key


@given(_payloads, st.booleans())
def test_of_any_payload(payload: dict[str, Any], as_ascii: bool) -> None:
    body = json.dumps(payload, ensure_ascii=as_ascii).encode("utf-8", "surrogatepass")

    assert found(body) == expected(body)


@given(_payloads, st.integers(0, 200), st.binary(max_size=3))
def test_of_one_that_is_broken(payload: dict[str, Any], place: int, noise: bytes) -> None:
    body = json.dumps(payload).encode()
    body = body[:place] + noise + body[place + 1 :]

    assert found(body) == expected(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'{"action": "opened", "repository": [{"full_name": "example/parts"}]}',
        b'{"action": "opened", "repository": {"full_name": "example/parts"}, "repository": null}',
        b'{"action": "opened", "action": "closed", "repository": {"full_name": "a/b", "full_name": "c/d"}}',
        b'{"note": NaN, "action": "opened", "repository": {"full_name": "example/parts"}}',
        b'{"note": "\xff", "action": "opened", "repository": {"full_name": "example/parts"}}',
        b'{"note": "\\ud800", "action": "opened", "repository": {"full_name": "example/parts"}}',
        b'{"note": "\\u0000", "action": "op\\u0000ened", "repository": {"full_name": "example/parts"}}',
    ],
)
def test_of_what_is_rare(body: bytes) -> None:
    assert found(body) == expected(body)
