"""What each source's deliveries are; and whatever comes, every source says something about it and raises nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import LocalError
from protocols.webhooks import github, standard, stripe, voxai, webex
from protocols.webhooks.delivery import EVENT_LENGTH, ID_LENGTH, Identified, body_hash
from protocols.webhooks.generic import GenericSource

EXAMPLES = settings(max_examples=3_000 if os.environ.get("PARLEY_PROVE") == "1" else 150, deadline=None)

GENERIC = GenericSource(event="json:meta.type", other_id="header:X-Id", key="json:items.0.id")
SOURCES: dict[str, Callable[[Mapping[str, str], bytes], Identified]] = {
    "github": github.identify,
    "stripe": stripe.identify,
    "webex": webex.identify,
    "standard": standard.identify,
    "voxai": voxai.identify,
    "generic": GENERIC.identify,
    "hashed": GenericSource(event="header:x-github-event", other_id="body-hash", key="body-hash").identify,
}
any_source = pytest.mark.parametrize("name", SOURCES)


def encoded(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("headers", "payload", "expected"),
    [
        (
            {"x-github-event": "push", "x-github-delivery": "d-1"},
            {"ref": "refs/heads/main", "repository": {"full_name": "example/parts"}},
            Identified("push", "d-1", "example/parts"),
        ),
        (
            {"x-github-event": "pull_request", "x-github-delivery": "d-2"},
            {"action": "opened", "repository": {"full_name": "example/parts"}},
            Identified("pull_request.opened", "d-2", "example/parts"),
        ),
        (
            {"x-github-event": "organization", "x-github-delivery": "d-3"},
            {"action": "member_added", "organization": {"login": "example"}},
            Identified("organization.member_added", "d-3"),
        ),
        ({"x-github-event": "ping"}, {"action": 5, "repository": None}, Identified("ping")),
        ({"x-github-delivery": "d-4"}, {"action": "opened"}, Identified("unknown", "d-4")),
    ],
)
def test_github(headers: dict[str, str], payload: Any, expected: Identified) -> None:
    assert github.identify(headers, encoded(payload)) == expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            {"id": "evt_1", "type": "invoice.paid", "data": {"object": {"id": "in_1", "object": "invoice"}}},
            Identified("invoice.paid", "evt_1", "in_1"),
        ),
        (
            {"id": "evt_2", "type": "balance.available", "data": {"object": {}}},
            Identified("balance.available", "evt_2"),
        ),
        ({"type": ["x"], "data": []}, Identified("unknown")),
    ],
)
def test_stripe(payload: Any, expected: Identified) -> None:
    assert stripe.identify({}, encoded(payload)) == expected


def test_webex() -> None:
    payload: dict[str, Any] = {
        "id": "hook",
        "name": "parley",
        "resource": "messages",
        "event": "created",
        "data": {"id": "message", "roomId": "room", "personEmail": "someone@example.com"},
    }
    assert webex.identify({}, encoded(payload)) == Identified(
        "messages.created", "hook:messages:created:message", "room"
    )
    payload["data"]["personId"] = "person"
    assert webex.identify({}, encoded(payload)).key == "room:person"
    del payload["data"]
    # Without what it is about, all events of the webhook would be one.
    assert webex.identify({}, encoded(payload)) == Identified("messages.created")


def test_standard_webhooks() -> None:
    body = encoded({"type": "contact.created", "data": {"id": "1"}})
    for prefix in ("webhook", "svix"):
        assert standard.identify({f"{prefix}-id": "msg_1"}, body) == Identified("contact.created", "msg_1")
    assert standard.identify({}, b"no JSON") == Identified("unknown")


def test_a_generic_source_reads_the_places_it_is_told() -> None:
    body = encoded({"meta": {"type": "order.paid"}, "items": [{"id": 7}]})
    assert GENERIC.identify({"x-id": "o-1"}, body) == Identified("order.paid", "o-1", "7")
    assert GENERIC.identify({}, b"a=1") == Identified("unknown")
    assert SOURCES["hashed"]({"x-github-event": "push"}, b"a=1") == Identified(
        "push", body_hash(b"a=1"), body_hash(b"a=1")
    )
    assert GenericSource().identify({"x-id": "o-1"}, body) == Identified("unknown")


@pytest.mark.parametrize(
    "place", ["", "x", "header:", "header:a b", "json:", "json:a..b", "json:.a", "query:a", "body"]
)
def test_what_is_no_place_is_refused(place: str) -> None:
    for where in ("event", "other_id", "key"):
        with pytest.raises(LocalError):
            GenericSource(**{where: place})


def test_an_event_is_no_hash() -> None:
    with pytest.raises(LocalError, match="no event"):
        GenericSource(event="body-hash")


HOSTILE = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b"a=1&b=2",
    b"payload=%7B%22action%22%3A1%7D",
    b"\0\0",
    b"\xff\xfe",
    b"[" * 10_000,
    b'{"type":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    b'{"id":' + b"9" * 10_000 + b',"type":1e999}',
    b'{"type":"\\ud800\\u0000","id":"\\udfff","event":"\\ud800","call":{"call_id":"\\u0000"}}',
    b'{"type":"' + b"x" * 100_000 + b'"}',
]


@any_source
@pytest.mark.parametrize("body", HOSTILE)
def test_an_unknown_shape_is_identified_by_what_the_headers_say(name: str, body: bytes) -> None:
    headers = {"x-github-delivery": "d-1", "webhook-id": "d-1", "x-id": "d-1"}
    found = SOURCES[name](headers, body)
    assert_storable(found)
    if name in ("github", "standard", "generic"):
        assert found.other_id == "d-1"


NAMES = [
    "id",
    "type",
    "event",
    "action",
    "resource",
    "data",
    "object",
    "call",
    "sms",
    "call_id",
    "roomId",
    "repository",
]
shapes = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=300),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=12,
)
header_values = st.text(st.characters(), max_size=300)
NAMES_OF_HEADERS = ["x-github-event", "x-github-delivery", "webhook-id", "svix-id", "x-id"]


@any_source
@EXAMPLES
@given(
    headers=st.dictionaries(st.sampled_from(NAMES_OF_HEADERS), header_values),
    body=st.binary(max_size=200) | shapes.map(lambda shape: json.dumps(shape).encode()),
)
def test_whatever_comes_is_identified_in_words_that_can_be_stored(
    name: str, headers: dict[str, str], body: bytes
) -> None:
    found = SOURCES[name](headers, body)
    assert_storable(found)
    assert SOURCES[name](headers, body) == found


def assert_storable(found: Identified) -> None:
    assert 0 < len(found.event) <= EVENT_LENGTH
    for text in (found.event, found.other_id, found.key):
        assert text is None or (0 < len(text) <= ID_LENGTH and "\0" not in text and text.isprintable())
        assert text is None or text.encode().decode() == text
