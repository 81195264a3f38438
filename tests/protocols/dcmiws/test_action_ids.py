"""ActionIDs: the vendor's form, nobody else's, and back again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.dcmiws.action_ids import ActionId, ActionIds, parse_action_id, unique_part
from protocols.errors import LocalError

parts = st.text(max_size=12)


@given(st.builds(ActionId, parts.filter(bool), parts, parts, parts, parts, parts.filter(bool)))
def test_an_id_is_read_back_whatever_its_fields(action_id: ActionId) -> None:
    text = action_id.text()
    assert parse_action_id(text) == action_id
    assert text.isascii()
    assert text.count("-") == 6
    assert unique_part(text) == action_id.unique


def test_the_form_is_the_vendors() -> None:
    made = ActionIds("4f2a").make("Diversion", server="1", tenant="0123-abc", extension="1010", what="CFI/enable")
    assert made.text() == "DIPCAST-Diversion-1-0123%2Dabc-1010-CFI%2Fenable-4f2a.1"


@pytest.mark.parametrize("text", ["", "p-1", "DIPCAST-C2C", "DIPCAST-CoreServiceCheck-1-Custom", "X-a-b-c-d-e-f", "가"])
def test_other_programs_ids_are_none_of_ours(text: str) -> None:
    assert parse_action_id(text) is None
    assert unique_part(text) == "foreign"
    assert not ActionIds("4f2a").is_ours(text)


def test_no_two_are_alike_and_each_process_knows_its_own() -> None:
    one, other = ActionIds("aaaa"), ActionIds("aaab")
    made = [ids.make("ping", server="1").text() for ids in (one, other) for _ in range(1000)]
    assert len(set(made)) == 2000
    assert all(one.is_ours(text) for text in made[:1000])
    assert not any(one.is_ours(text) for text in made[1000:])
    assert not one.is_ours("DIPCAST-a-b-c-d-e-aaaab.1")


@pytest.mark.parametrize("process", ["", "a-b", "a.b", "가나"])
def test_a_token_that_could_not_be_told_apart_is_refused(process: str) -> None:
    with pytest.raises(LocalError):
        ActionIds(process)


def test_a_log_never_shows_the_tenant_or_the_extension() -> None:
    text = ActionIds("4f2a").make("Diversion", tenant="0123456789abcdef", extension="1010").text()
    assert unique_part(text) == "4f2a.1"
