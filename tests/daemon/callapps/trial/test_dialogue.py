"""Dialogues that are written down."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.callapps.contract import Reached
from daemon.callapps.trial.deed import Deed, Kind
from daemon.callapps.trial.dialogue import (
    DialogueError,
    HangsUp,
    Outcome,
    Presses,
    Reaches,
    Says,
    Silence,
    callers_deed,
    read_dialogue,
)
from daemon.callapps.trial.trial import Caller

WHOLE = """\
# An order.

call: caller=01012345678 code=order-app variable.name="홍 길동" variable.order=1001
app: 무엇을 도와드릴까요?
caller: 장미: 한 다발이요
caller: (interrupting) 상담원이요
caller: 1#
caller: (interrupting) 0
caller: "119"
caller: (silence)
caller: (silence 0.5)
caller:
app: (rings 1001)
caller: (1001 is busy)
caller: (… cannot be reached)
app: (transfers to 1001)
  app: (hangs up)
caller: (hangs up)
outcome: ordered
"""


def test_every_line_that_there_is() -> None:
    dialogue = read_dialogue(WHOLE, Caller(did="07000001001"))
    assert dialogue.caller == Caller("01012345678", "07000001001", "order-app", {"name": "홍 길동", "order": "1001"})
    assert [(line.number, line.step) for line in dialogue.lines] == [
        (4, Deed(Kind.SAYS, "무엇을 도와드릴까요?")),
        (5, Says("장미: 한 다발이요")),
        (6, Says("상담원이요", interrupting=True)),
        (7, Presses("1#")),
        (8, Presses("0", interrupting=True)),
        (9, Says("119")),
        (10, Silence()),
        (11, Silence(0.5)),
        (12, Silence()),
        (13, Deed(Kind.RINGS, "1001")),
        (14, Reaches("1001", Reached.BUSY)),
        (15, Reaches("…", Reached.FAILED)),
        (16, Deed(Kind.TRANSFERS, "1001")),
        (17, Deed(Kind.HANGS_UP)),
        (18, HangsUp()),
        (19, Outcome("ordered")),
    ]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("hello", "begins neither with"),
        ("agent: hello", "nobody is called agent"),
        ("app:", "does not say what"),
        ("app: (dances)", "an app cannot do"),
        ("caller: (dances)", "a caller cannot do"),
        ("caller: (1001 dances)", "a caller cannot do"),
        ("caller: (interrupting)", "a caller cannot do"),
        ("call: caller=1", "said once, and first"),
    ],
)
def test_lines_that_cannot_be_read(row: str, problem: str) -> None:
    with pytest.raises(DialogueError, match=problem) as caught:
        read_dialogue(f"app: 안녕하세요\n\n{row}\n")
    assert caught.value.line == 3


@pytest.mark.parametrize("words", ["caller", "colour=red", 'did="1'])
def test_callers_that_cannot_be_read(words: str) -> None:
    with pytest.raises(DialogueError, match="line 1: "):
        read_dialogue(f"call: {words}")


@given(st.text())
def test_anything_is_read_or_refused(text: str) -> None:
    try:
        read_dialogue(text)
    except DialogueError as error:
        assert str(error).startswith(f"line {error.line}: ")  # noqa: PT017 - it may be raised or not


@given(st.text(alphabet="가 12a", min_size=1).filter(lambda text: text.strip() != ""))
def test_words_in_quotes_are_said(text: str) -> None:
    assert callers_deed(f'"{text}"') == Says(text)
