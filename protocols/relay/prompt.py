"""What an app is told of a caller's answer to its question."""

from __future__ import annotations

import msgspec

from protocols.choices import Choices, Understood
from protocols.relay.events import Answered
from protocols.relay.messages import UNAVAILABLE, Ask, Prompt


def prompt_of(question: Ask, answer: Answered, turn: int) -> Prompt:
    """The message of ``turn``: the words, or the digits where there are none, and what they mean as far as the question
    asked for it. An address that nobody looked up is unavailable."""
    said = bool(answer.text.strip())
    prompt = Prompt(
        turn,
        text=answer.text if said else answer.digits,
        silence=not said and not answer.digits,
        low_confidence=answer.low_confidence,
        spoke_during_playback=answer.spoke_during_playback,
        heard_voice=answer.heard_voice or said,
    )
    if question.choices:
        understood = _understood(Choices(question.choices), answer)
        prompt = msgspec.structs.replace(
            prompt,
            choice=None if understood.index is None else question.choices[understood.index],
            choice_index=understood.index,
            choice_source=understood.source,
            confirm=understood.confirm,
            choice_ambiguous=understood.ambiguous,
        )
    if question.expect is not None:
        address = dict(UNAVAILABLE) if answer.address is None else answer.address
        prompt = msgspec.structs.replace(prompt, address=address)
    return prompt


def _understood(choices: Choices, answer: Answered) -> Understood:
    """What was pressed counts before what was said, since a key is never misheard; unless it means nothing."""
    pressed = choices.press(answer.digits)
    return choices.understand(answer.text) if pressed == Understood() else pressed
