"""The questions of a survey, as they are configured, and how each kind of them is asked."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from daemon.callapps.contract import AppCall
from protocols.spoken_numbers import spoken_number
from protocols.yes_no import YES_NO

QuestionName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}\Z")]
Mark = Annotated[int, Meta(ge=0, le=10)]

_NOT_HEARD: Final = "죄송합니다. 잘 듣지 못했습니다. "
_MOST_CHOICES: Final = 9
"""As many as there are keys to press."""


class Question(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One question. Raises ``ValueError`` for choices that are none."""

    name: QuestionName
    """What its answers stand under: a column of the export. Give another question another name."""
    text: str
    kind: Literal["choices", "yes_no", "scale", "words"] = "choices"
    """One of ``choices``; yes or no; a mark from ``least`` to ``most``; or whatever is said."""
    choices: tuple[str, ...] = ()
    least: Mark = 1
    most: Mark = 5
    again: tuple[str, ...] = ()
    """Said from the second time on; none: an apology and the text."""

    @property
    def prompts(self) -> tuple[str, ...]:
        """What is said the first time, the second and so on."""
        return (self.text, *(self.again or (_NOT_HEARD + self.text,)))

    def __post_init__(self) -> None:
        """See what a type does not say."""
        if not self.text.strip():
            raise ValueError(f"the question {self.name} has no text")
        if self.kind != "choices" and self.choices:
            raise ValueError(f"the question {self.name} has choices; only one of kind choices has any")
        many = 2 <= len(self.choices) <= _MOST_CHOICES and len(set(self.choices)) == len(self.choices)
        if self.kind == "choices" and not (many and all(choice.strip() for choice in self.choices)):
            raise ValueError(f"the question {self.name} needs 2 to {_MOST_CHOICES} choices, each another")
        if self.kind == "scale" and self.least >= self.most:
            raise ValueError(f"the scale of the question {self.name} ends before it begins")


class SurveyOptions(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The options of the app ``survey``. Raises ``ValueError``."""

    question: Annotated[tuple[Question, ...], Meta(min_length=1)]
    greeting: str = "안녕하세요. 잠시 몇 가지만 여쭙겠습니다."
    goodbye: str = "답해 주셔서 감사합니다. 안녕히 계세요."
    tries: Annotated[int, Meta(ge=1, le=5)] = 2
    """How often a question is asked at most; then the next one is."""

    def __post_init__(self) -> None:
        """See what a type does not say."""
        names = [question.name for question in self.question]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two questions are called {name}")


async def ask(call: AppCall, question: Question, tries: int) -> str:
    """What the caller answers; ``""`` after so many tries in vain. Yes and no are ``yes`` and ``no``."""
    first, *again = question.prompts
    match question.kind:
        case "choices":
            return (await call.ask(first, question.choices, again=again, tries=tries)).choice or ""
        case "yes_no":
            agreed = (await call.ask(first, YES_NO, again=again, tries=tries)).choice
            return {YES_NO[0]: "yes", YES_NO[1]: "no"}.get(agreed or "", "")
    for number in range(tries):
        heard = await call.listen(question.prompts[min(number, len(again))])
        if question.kind == "words" and (heard.text or heard.digits):
            return heard.text or heard.digits
        mark = int(heard.digits) if heard.digits.isdecimal() else spoken_number(heard.text)
        if question.kind == "scale" and mark is not None and question.least <= mark <= question.most:
            return str(mark)
    return ""
