"""What callers' words mean among a few choices: judged utterances, and what holds for any."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from protocols.choices import Choices, ChoiceSource, Understood
from protocols.errors import LocalError

PAYMENT = ("선불", "착불")
YES_NO = ("네", "아니요")
FLOWERS = ("꽃다발", "꽃바구니", "화환")
CARDS = ("선불", "선불카드", "후불")
DAYS = ("월", "화", "수")
SENDING = ("당일 배송", "새벽 배송", "방문 수령")
LATIN = ("A", "B", "VIP")
TIMES = ("3시", "5시", "10시")

NOTHING = "nothing"
AMBIGUOUS = "ambiguous"
GUESS = "?"

JUDGED = [
    # The word itself, and what callers put around it.
    *[
        (PAYMENT, said, "착불")
        for said in ("착불", "착불이요", "착불로 할게요", "착불로요", "저는 착불이요", "착불 착불")
    ],
    *[(PAYMENT, said, "선불") for said in ("선불입니다", "음, 선불로 해 주세요.", "그냥선불로", "돈은 선불이에요!")],
    # Spaces where recognition put them, and none where it did not.
    *[(PAYMENT, said, "착불") for said in ("착 불이요", "착 불 로", "  착불  ", "\n착불", "착-불", "‘착불’이요")],
    (PAYMENT, "누가 도착 불러요", NOTHING),
    (FLOWERS, "꽃 바구니로 할게요", "꽃바구니"),
    (FLOWERS, "꽃바 구니", "꽃바구니"),
    (FLOWERS, "근조화환이요", "화환"),
    (FLOWERS, "꽃이요", NOTHING),
    (FLOWERS, "꽃다발이랑 꽃바구니", AMBIGUOUS),
    (SENDING, "당일배송이요", "당일 배송"),
    (SENDING, "당 일 배 송", "당일 배송"),
    (SENDING, "새벽에 배송", NOTHING),
    (SENDING, "배송", NOTHING),
    # Several, or one that is turned down.
    (PAYMENT, "선불 아니고 착불", AMBIGUOUS),
    (PAYMENT, "선불이요 착불이요?", AMBIGUOUS),
    (PAYMENT, "선불 말고 착불로요", AMBIGUOUS),
    (PAYMENT, "착불은 아니고요", AMBIGUOUS),
    (PAYMENT, "착불 말고요", AMBIGUOUS),
    (PAYMENT, "착불이요 아니 잠깐만요", AMBIGUOUS),
    (PAYMENT, "착불은 안 할래요", AMBIGUOUS),
    (PAYMENT, "착불은 싫어요", AMBIGUOUS),
    (PAYMENT, "착불 안내해 주세요", "착불"),
    (YES_NO, "네 아니요", AMBIGUOUS),
    (YES_NO, "네 아닙니다", AMBIGUOUS),
    # One character counts at the start of a word only.
    *[(YES_NO, said, "네") for said in ("네", "네네", "네, 맞아요", "아 네", "네요")],
    *[(YES_NO, said, NOTHING) for said in ("서초동네", "그러네요", "예", "맞아요", "니에", "아니")],
    *[(YES_NO, said, "아니요") for said in ("아니요", "아니오", "아니요 아니에요", "아니 아니요", "아 니요")],
    (DAYS, "화요일이요", "화"),
    (DAYS, "다음 주 수요일", "수"),
    (DAYS, "전화요", NOTHING),
    (DAYS, "월화 다요", "월"),
    (DAYS, "월요일 아니면 수요일", AMBIGUOUS),
    # A word within a longer one is that longer one.
    (CARDS, "선불카드요", "선불카드"),
    (CARDS, "선불 카드요", "선불카드"),
    (CARDS, "선불이요", "선불"),
    (CARDS, "선불카드 말고 선불", AMBIGUOUS),
    (CARDS, "후불", "후불"),
    # Latin letters and digits.
    (LATIN, "a요", "A"),
    (LATIN, "저는 b로 할게요", "B"),
    (LATIN, "ｖｉｐ로", "VIP"),
    (LATIN, "V I P요", "VIP"),
    (LATIN, "apple", NOTHING),
    (LATIN, "vips", NOTHING),
    (TIMES, "3시요", "3시"),
    (TIMES, "10시쯤", "10시"),
    (TIMES, "13시", NOTHING),
    (TIMES, "3시나 5시", AMBIGUOUS),
    # Slurred.
    *[
        (PAYMENT, said, f"착불{GUESS}")
        for said in ("참불", "참불이요", "천불", "착풀", "착", "착이요", "찬물로 할게요")
    ],
    *[(PAYMENT, said, f"선불{GUESS}") for said in ("산불", "선부", "서뿔로 해 주세요", "어 신불이요", "선볼")],
    *[(PAYMENT, said, NOTHING) for said in ("썬불", "존불", "물", "착하게 살게요", "사람이요", "취소", "상담원 연결")],
    *[(PAYMENT, said, NOTHING) for said in ("참불참불", "저 참불 보낼래요", "참불 말고", "", " ", "...", "ㅊㅂ")],
    (("네이", "데이"), "네", NOTHING),
    (("네이", "데이"), "네요", NOTHING),
    (("자택", "회택"), "저는", NOTHING),
    (("자택", "회택"), "저는 조택이요", NOTHING),
    (("자택", "회택"), "저 조택이요", f"자택{GUESS}"),
    # Different tails, no tail, one head: nothing to tell them apart by.
    (YES_NO, "너", NOTHING),
    (DAYS, "하", NOTHING),
    (("선불", "신불"), "산불", NOTHING),
    (("선불", "신불", "착불"), "참불", f"착불{GUESS}"),
    (("선불", "선불카드"), "산불", NOTHING),
    (("선불", "착b"), "산불", NOTHING),
]


def meaning(words: tuple[str, ...], said: str) -> str:
    understood = Choices(words).understand(said)
    if understood.ambiguous:
        assert understood == Understood(ambiguous=True)
        return AMBIGUOUS
    if understood.index is None:
        assert understood == Understood()
        return NOTHING
    assert understood.confirm == (understood.source is ChoiceSource.INITIAL)
    return words[understood.index] + GUESS * understood.confirm


@pytest.mark.parametrize(("words", "said", "expected"), JUDGED)
def test_judged_utterances(words: tuple[str, ...], said: str, expected: str) -> None:
    assert meaning(words, said) == expected
    # However it is composed, and whatever the order of the choices.
    assert meaning(words, unicodedata.normalize("NFD", said)) == expected
    assert meaning(words[::-1], said) == expected
    decomposed = tuple(unicodedata.normalize("NFD", word) for word in words)
    assert unicodedata.normalize("NFC", meaning(decomposed, said)) == expected


@pytest.mark.parametrize(
    ("words", "digits", "index"),
    [
        (PAYMENT, "1", 0),
        (PAYMENT, "2", 1),
        (PAYMENT, "3", None),
        (PAYMENT, "0", None),
        (PAYMENT, "", None),
        (PAYMENT, "11", None),
        (PAYMENT, "1#", None),
        (PAYMENT, "*", None),
        (TIMES, "1", None),
        (TIMES, "3", 0),
        (TIMES, "10", 2),
        (("1번", "2번"), "2", 1),
        (("2번", "1번"), "2", 0),
        (("3시", "기타"), "2", None),
        (("3시", "기타"), "", None),
    ],
)
def test_pressed_digits(words: tuple[str, ...], digits: str, index: int | None) -> None:
    expected = Understood() if index is None else Understood(index, ChoiceSource.EXACT)
    assert Choices(words).press(digits) == expected


def test_digits_that_several_choices_have_are_ambiguous() -> None:
    assert Choices(("3시", "3일")).press("3") == Understood(ambiguous=True)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "there are 0 choices; 2 to 6 are allowed"),
        (["하나"], "there are 1 choices"),
        (list("가나다라마바사"), "there are 7 choices"),
        (["가", ""], "choice 2 has 0 characters; 1 to 20 are allowed"),
        (["가", "나" * 21], "choice 2 has 21 characters"),
        (["  ", "가"], "choice 1 has no letter or digit"),
        (["가", "?!"], "choice 2 has no letter or digit"),
        (["가", "나", "가"], "choices 1 and 3 sound the same"),
        (["Vip", "가", "V.I.P"], "choices 1 and 3 sound the same"),
        (["꽃 다발", "꽃다발"], "choices 1 and 2 sound the same"),
        (["한", unicodedata.normalize("NFD", "한")], "choices 1 and 2 sound the same"),
        (["아니요", "아니오"], "choices 1 and 2 sound the same"),
    ],
)
def test_choices_that_cannot_be_asked(words: list[str], complaint: str) -> None:
    with pytest.raises(LocalError, match=complaint):
        Choices(words)


def test_lengths_are_counted_composed() -> None:
    words = [unicodedata.normalize("NFD", "각" * 20), "나"]
    assert len(words[0]) == 60
    assert Choices(words).words == tuple(words)


SYLLABLES = st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3)
WORDS = st.text(SYLLABLES, min_size=1, max_size=5).filter(lambda word: not word.startswith("안") and "아니" not in word)
ENDINGS = st.sampled_from(["", "요", "이요", "로 할게요", "입니다", ".", "로 해 주세요"])


@st.composite
def asked(draw: st.DrawFn) -> tuple[str, ...]:
    """Choices of which none is within another."""
    words = draw(st.lists(WORDS, min_size=2, max_size=6, unique=True))
    assume(not any(one in other for one in words for other in words if one is not other))
    return tuple(words)


@given(asked(), st.data())
def test_the_word_of_a_choice_is_that_choice(words: tuple[str, ...], data: st.DataObject) -> None:
    word = data.draw(st.sampled_from(words))
    ending = data.draw(ENDINGS)
    said = word + ending
    # What a word and its ending make together may hold another choice.
    assume(not any(other in said for other in words if other != word))
    spaces = data.draw(st.lists(st.booleans(), min_size=len(word), max_size=len(word)))
    spread = "".join(char + " " * space for char, space in zip(word, spaces, strict=True)) + ending
    assume(not any(other in "".join(spread.split()) for other in words if other != word))
    for text in (said, spread):
        assert meaning(words, text) == word


@given(asked(), st.data())
def test_two_words_are_no_choice(words: tuple[str, ...], data: st.DataObject) -> None:
    one, other = data.draw(st.lists(st.sampled_from(words), min_size=2, max_size=2, unique=True))
    between = data.draw(st.sampled_from([" ", ", ", " 아니고 ", " 말고 "]))
    assert meaning(words, f"{one}{between}{other}") == AMBIGUOUS


@given(st.lists(st.text(max_size=20), max_size=7), st.text(max_size=60), st.text("0123456789*#", max_size=3))
def test_any_text_has_an_answer(words: list[str], said: str, digits: str) -> None:
    try:
        choices = Choices(words)
    except LocalError:
        return
    for understood in (choices.understand(said), choices.press(digits)):
        assert understood.index is None or 0 <= understood.index < len(words)
        assert (understood.index is None) == (understood.source is None)
        assert not (understood.ambiguous and understood.index is not None)


HEADS = st.lists(st.sampled_from("가카사삼"), min_size=2, max_size=3, unique=True)
TAILS = st.sampled_from(["불", "불", "불", "뿔", "물", "", "불불"])


@given(HEADS, TAILS, TAILS, st.text(st.sampled_from("가카사불물음 "), max_size=1), TAILS, ENDINGS)
def test_a_guess_is_narrow(heads: list[str], tail: str, last: str, head: str, said_tail: str, ending: str) -> None:
    words = [*(head + tail for head in heads[:-1]), heads[-1] + last]
    slurred = head + said_tail
    understood = Choices(words).understand(slurred + ending)
    if understood.index is None or not understood.confirm:
        return
    initials = [[unicodedata.normalize("NFD", char)[0] for char in word] for word in words]
    tails = {tuple(tail) for _, *tail in initials}
    assert len(tails) == 1
    assert tails != {()}
    assert [head for head, *_ in initials].count(initials[understood.index][0]) == 1
    said = slurred.replace(" ", "").lstrip("음")
    assert unicodedata.normalize("NFD", said)[0] == initials[understood.index][0]
    assert len(said) in (1, len(words[understood.index]))
    assert not any(word in said for word in words)


@given(st.data())
def test_a_slurred_first_syllable_is_guessed_and_never_taken_for_sure(data: st.DataObject) -> None:
    heads = data.draw(st.lists(st.integers(0, 18), min_size=2, max_size=5, unique=True))
    tail = data.draw(st.text(SYLLABLES, min_size=1, max_size=3))
    words = tuple(chr(0xAC00 + head * 588) + tail for head in heads)
    index = data.draw(st.integers(0, len(words) - 1))
    slurred = chr(0xAC00 + heads[index] * 588 + data.draw(st.integers(1, 587))) + tail
    said = slurred + data.draw(ENDINGS)
    assume(not any(word in said.replace(" ", "") for word in words))
    assume(slurred[0] not in "음어아그저예네응")
    assert meaning(words, said) == words[index] + GUESS
