"""Questions with choices: asked again in other words, guesses confirmed, given up in the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from daemon.callapps.contract import Answer, Heard, Listening, Meaning, Understanding
from protocols.yes_no import YES_NO

Listen = Callable[[str], Awaitable[Heard]]
"""Says a prompt and listens."""


def exactly(text: str, choices: Sequence[str]) -> Meaning:
    """The choice that ``text`` is, but for blanks, marks and letter case. The plainest of understandings."""
    said = _bare(text)
    found = [index for index, choice in enumerate(choices) if said and _bare(choice) == said]
    return Meaning(found[0]) if len(found) == 1 else Meaning(ambiguous=len(found) > 1)


def _bare(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


async def ask(
    listen: Listen,
    understand: Understanding,
    prompts: Sequence[str],
    choices: Sequence[str],
    *,
    confirm: str,
    tries: int,
) -> Answer:
    """Ask with each of ``prompts`` in turn, the last again and again; see ``AppCall.ask``."""
    if len(set(choices)) != len(choices) or len(choices) < 2:
        raise ValueError("a question needs at least two choices, each another")
    if tries < 1:
        raise ValueError(f"tries is {tries}, and must be at least 1")
    heard = Heard(Listening.NO_INPUT)
    for number in range(tries):
        heard = await listen(prompts[min(number, len(prompts) - 1)])
        meaning = _meaning(heard, choices, understand)
        if meaning.index is None:
            continue
        choice = choices[meaning.index]
        if not meaning.confirm:
            return Answer(choice, heard, number + 1)
        confirmed = await listen(confirm.replace("{choice}", choice))
        if _meaning(confirmed, YES_NO, understand).index == 0:
            return Answer(choice, heard, number + 1)
    return Answer(None, heard, tries)


def _meaning(heard: Heard, choices: Sequence[str], understand: Understanding) -> Meaning:
    if heard.ended is Listening.DIGITS:
        number = int(heard.digits) if heard.digits.isdecimal() else 0
        return Meaning(number - 1) if 1 <= number <= len(choices) else Meaning()
    return understand(heard.text, choices) if heard.text else Meaning()
