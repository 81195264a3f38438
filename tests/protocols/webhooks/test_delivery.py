"""Events, ids and keys from outside: printable and bounded, and two that differ never become one."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from protocols.webhooks.delivery import EVENT_LENGTH, ID_LENGTH, body_hash, event_name, stable_id

texts = st.text(st.characters()) | st.text(st.characters(categories=["Cs", "Cc", "Cf"])) | st.text(min_size=250)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("push",), "push"),
        (("pull_request", "opened"), "pull_request.opened"),
        (("pull_request", None), "pull_request"),
        (("pull_request", ["opened"]), "pull_request"),
        ((None, "opened"), "opened"),
        ((1,), "unknown"),
        (("",), "unknown"),
        ((), "unknown"),
        (("\0\n",), "unknown"),
        (("pu\0sh\r\n\u202e",), "push"),
        (("주문 생성",), "주문 생성"),
        (("a" * 5000,), "a" * EVENT_LENGTH),
    ],
)
def test_an_event_is_its_printable_parts(parts: tuple[Any, ...], expected: str) -> None:
    assert event_name(*parts) == expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("evt_1",), "evt_1"),
        (("a", "b"), "a:b"),
        ((12, "b"), "12:b"),
        (("a", None), None),
        (("a", ""), None),
        ((True,), None),
        ((1.5,), None),
        ((10**5000,), None),
        (("a" * ID_LENGTH,), "a" * ID_LENGTH),
        (("a" * (ID_LENGTH + 1),), "sha256:" + hashlib.sha256(b"a" * (ID_LENGTH + 1)).hexdigest()),
        (("a\0",), "sha256:" + hashlib.sha256(b"a\0").hexdigest()),
    ],
)
def test_an_id_is_all_of_its_parts_or_none(parts: tuple[Any, ...], expected: str | None) -> None:
    assert stable_id(*parts) == expected


@given(texts, texts)
def test_two_ids_never_become_one(one: str, other: str) -> None:
    assume(one != other and one and other)
    assert stable_id(one) != stable_id(other)


@given(st.lists(texts | st.integers() | st.none()))
def test_what_comes_out_can_be_stored_and_shown(parts: list[Any]) -> None:
    event, other_id = event_name(*parts), stable_id(*parts) if parts else None
    assert 0 < len(event) <= EVENT_LENGTH
    assert event.isprintable()
    assert other_id is None or (0 < len(other_id) <= ID_LENGTH and other_id.isprintable())


def test_the_hash_of_a_body_is_an_id() -> None:
    assert body_hash(b"{}") == "sha256:" + hashlib.sha256(b"{}").hexdigest()
    assert stable_id(body_hash(b"{}")) == body_hash(b"{}")
