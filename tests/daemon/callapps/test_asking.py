"""Questions with choices: what is asked again, confirmed and given up."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from daemon.callapps.asking import ask, exactly
from daemon.callapps.contract import Answer, AppCall, Heard, Listening, Meaning
from tests.daemon.callapps.conftest import Answer as Answering
from tests.daemon.callapps.phone import ended

CHOICES = ("예약", "취소")
NOTHING = Heard(Listening.NO_INPUT)


def said(text: str) -> Heard:
    return Heard(Listening.SPEECH, text)


def pressed(digits: str) -> Heard:
    return Heard(Listening.DIGITS, digits=digits)


class Caller:
    """Answers one prompt after the other."""

    def __init__(self, *answers: Heard) -> None:
        self.prompts: list[str] = []
        self._answers = list(answers)

    async def listen(self, prompt: str) -> Heard:
        self.prompts.append(prompt)
        return self._answers.pop(0)

    async def asked(self, *, tries: int = 3, prompts: Sequence[str] = ("예약인가요, 취소인가요?", "다시요")) -> Answer:
        return await ask(self.listen, guessing, prompts, CHOICES, confirm="{choice} 맞나요?", tries=tries)


def guessing(text: str, choices: Sequence[str]) -> Meaning:
    """Guesses by the first syllable what is not said exactly."""
    guesses = [index for index, choice in enumerate(choices) if text[:1] == choice[:1]]
    exact = exactly(text, choices)
    return Meaning(guesses[0], confirm=True) if exact.index is None and len(guesses) == 1 else exact


@pytest.mark.parametrize(
    ("answers", "choice", "tries", "prompts"),
    [
        ([said("취소.")], "취소", 1, ["예약인가요, 취소인가요?"]),
        ([pressed("1")], "예약", 1, ["예약인가요, 취소인가요?"]),
        ([NOTHING, said("예 약")], "예약", 2, ["예약인가요, 취소인가요?", "다시요"]),
        ([said("글쎄요"), pressed("3"), pressed("2")], "취소", 3, ["예약인가요, 취소인가요?", "다시요", "다시요"]),
        ([NOTHING, said("글쎄요"), pressed("*")], None, 3, ["예약인가요, 취소인가요?", "다시요", "다시요"]),
        ([said("예액"), said("네")], "예약", 1, ["예약인가요, 취소인가요?", "예약 맞나요?"]),
        (
            [said("예액"), said("아니요"), said("취소")],
            "취소",
            2,
            ["예약인가요, 취소인가요?", "예약 맞나요?", "다시요"],
        ),
    ],
)
async def test_asking(answers: list[Heard], choice: str | None, tries: int, prompts: list[str]) -> None:
    caller = Caller(*answers)
    answer = await caller.asked()
    assert (answer.choice, answer.tries) == (choice, tries)
    assert caller.prompts == prompts


@pytest.mark.parametrize(("choices", "tries"), [(("예약",), 3), (("예약", "예약"), 3), (CHOICES, 0)])
async def test_what_cannot_be_asked(choices: tuple[str, ...], tries: int) -> None:
    with pytest.raises(ValueError, match=r"choices|tries"):
        await ask(Caller().listen, exactly, ("?",), choices, confirm="?", tries=tries)


def test_exactly() -> None:
    assert exactly(" 예약! ", CHOICES) == Meaning(0)
    assert exactly("예약이요", CHOICES) == Meaning()
    assert exactly("...", ("!", "?")) == Meaning()
    assert exactly("a b", ("AB", "a-b")) == Meaning(ambiguous=True)


async def test_on_a_call(answer: Answering) -> None:
    answers: list[Answer] = []

    async def app(call: AppCall) -> None:
        await call.answer()
        answers.append(await call.ask("예약인가요?", CHOICES, again=["예약, 취소 중에 말씀해 주세요"]))
        await call.hang_up(f"{answers[0].choice}입니다")

    phone = await answer(app)
    call = await phone.ring()
    await phone.until_said(call, "예약인가요?")
    await phone.until_said(call, "예약, 취소 중에 말씀해 주세요")
    await call.dtmf("2")
    await ended(call)
    assert (answers[0].choice, answers[0].tries) == ("취소", 2)
    assert phone.said(call)[-1] == "취소입니다"
