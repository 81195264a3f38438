"""What Vox.ai asks while it waits: the numbers of an inbound call."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.webhooks.voxai_inbound import read_inbound

NUMBERS = {"from_number": "01012345678", "to_number": "0212345678"}


def test_both_shapes_are_read() -> None:
    for document in ({"event": "call_inbound", "call_inbound": NUMBERS}, NUMBERS):
        inbound = read_inbound(json.dumps(document).encode())
        assert (inbound.from_number, inbound.to_number) == tuple(inbound) == ("01012345678", "0212345678")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"from_number": 821012345678}, "821012345678"),
        ({"from_number": " +821012345678 "}, "+821012345678"),
        ({"from_number": None}, ""),
        ({"from_number": ["0"]}, ""),
        ({"from_number": True}, ""),
        ({"from_number": -5}, ""),
        ({"from_number": "0" * 129}, ""),
        ({"from_number": "010\0"}, "010"),
        ({}, ""),
    ],
)
def test_what_is_no_number_is_empty(fields: dict[str, Any], expected: str) -> None:
    assert read_inbound(json.dumps({"call_inbound": fields}).encode()) == (expected, "")


@given(st.binary(max_size=60))
def test_any_bytes_give_two_numbers(body: bytes) -> None:
    assert all(isinstance(number, str) for number in read_inbound(body))


@pytest.mark.parametrize("inner", [None, [], "x"])
def test_an_outer_object_without_an_inner_one_is_a_flat_one(inner: Any) -> None:
    assert read_inbound(json.dumps(NUMBERS | {"call_inbound": inner}).encode()) == ("01012345678", "0212345678")
