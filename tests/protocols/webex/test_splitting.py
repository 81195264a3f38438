from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from protocols.webex.splitting import MOST_BYTES, split

TEXTS = st.text(st.sampled_from("a가😀 \n\\*\u0301"), max_size=400)


@given(TEXTS, st.integers(4, 60))
def test_parts_make_up_the_text_and_none_is_too_long_or_blank(text: str, most: int) -> None:
    parts = split(text, most)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(0 < len(part.encode()) <= most and part.strip() for part in parts)


@given(st.text(st.sampled_from("a\\*"), max_size=200), st.integers(4, 20))
def test_what_is_escaped_stays_escaped(text: str, most: int) -> None:
    parts = split(text, most)
    for part in parts[:-1]:
        slashes = len(part) - len(part.rstrip("\\"))
        assert slashes % 2 == 0 or slashes == len(part)


def test_a_text_that_fits_is_one_part() -> None:
    assert split("가" * (MOST_BYTES // 3)) == ["가" * (MOST_BYTES // 3)]
    assert split("  \n ") == []


def test_a_part_ends_where_a_paragraph_a_line_or_a_word_does() -> None:
    assert split("one two\n\nthree four", 12) == ["one two\n\n", "three four"]
    assert split("one two\nthree four", 12) == ["one two\n", "three four"]
    assert split("one two three four", 12) == ["one two ", "three four"]
    assert split("가나다라마바", 10) == ["가나다", "라마바"]


@given(
    st.lists(st.sampled_from(["👨‍👩‍👧", "👍🏽", "❤️", "e\u0301", "\u1112\u1161\u11ab", "🇰🇷", "가"]), max_size=40),
    st.integers(64, 90),
)
def test_what_is_seen_as_one_character_stays_one(seen: list[str], most: int) -> None:
    rest = "".join(seen)
    ends = {len("".join(seen[:count])) for count in range(len(seen) + 1)}
    end = 0
    for part in split(rest, most):
        end += len(part)
        assert end in ends


def test_what_has_no_end_as_one_character_is_cut_all_the_same() -> None:
    parts = split("e" + "\u0301" * 500, 60)
    assert "".join(parts) == "e" + "\u0301" * 500
    assert all(len(part.encode()) <= 60 for part in parts)


def test_a_lone_surrogate_is_no_reason_to_fail() -> None:
    assert split("가\ud800나") == ["가?나"]
