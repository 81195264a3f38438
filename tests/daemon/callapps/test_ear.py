"""What breaks a prompt off, and what is kept of what the caller says into it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from daemon.callapps.clock import LoopClock
from daemon.callapps.contract import BargeIn, Collected, Collecting, Heard, Listening
from daemon.callapps.ear import Ear
from daemon.callapps.listening import Patience, collect, listen
from daemon.transcripts.utterance import Speaker, Utterance

PATIENCE = Patience(no_input=0.05, end_silence=0.02, too_long=0.2, between_digits=0.02)


def utterance(
    text: str, *, final: bool = False, name: str = "u1", span: float | None = None, **fields: Any
) -> Utterance:
    return Utterance(
        call_id="call",
        utterance_id=name,
        seq=int(final),
        leg_id="leg",
        speaker=Speaker.CALLER,
        text=text,
        start=None if span is None else 1.0,
        end=fields.get("end", None if span is None else 1.0 + span),
        said_at=0.0,
        final=final,
        confidence=None,
        vendor="test",
    )


def broken_by(ear: Ear) -> BargeIn | None:
    return ear.broken_by


class Clock:
    """Stands until it is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def time(self) -> float:
        return self.now

    async def wait(self, changed: asyncio.Event, until: float) -> None:
        raise AssertionError("nobody waits here")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def ear(clock: Clock) -> Ear:
    made = Ear(0.5, clock)
    made.attend()
    made.arm()
    return made


async def test_an_interim_that_has_lasted(ear: Ear, clock: Clock) -> None:
    ear.hear(utterance("저", span=0.49))
    assert broken_by(ear) is None
    ear.hear(utterance("저기", span=0.5))
    assert broken_by(ear) is BargeIn.SPEECH
    assert ear.is_speaking
    assert ear.hypotheses == ["저기"]


async def test_an_interim_without_a_beginning_has_lasted_since_the_first(ear: Ear, clock: Clock) -> None:
    ear.hear(utterance("저", end=3.0))
    ear.hear(utterance("저기", end=3.4))
    assert broken_by(ear) is None
    ear.hear(utterance("저기요", end=3.5))
    assert broken_by(ear) is BargeIn.SPEECH


async def test_an_interim_without_times_has_lasted_by_the_clock(ear: Ear, clock: Clock) -> None:
    ear.hear(utterance("저"))
    clock.now += 0.4
    ear.hear(utterance("저기"))
    assert broken_by(ear) is None
    clock.now += 0.1
    ear.hear(utterance("저기요"))
    assert broken_by(ear) is BargeIn.SPEECH


async def test_a_final_that_nothing_announced(ear: Ear) -> None:
    ear.hear(utterance("네", final=True, span=0.2))
    assert broken_by(ear) is BargeIn.SPEECH
    assert ear.texts == ["네"]


async def test_a_short_sound_that_was_announced_is_kept_and_breaks_nothing(ear: Ear) -> None:
    ear.hear(utterance("네", span=0.1))
    ear.hear(utterance("네", final=True, span=0.2))
    assert broken_by(ear) is None
    assert ear.texts == ["네"]
    assert not ear.is_speaking


async def test_a_stretch_that_comes_to_nothing(ear: Ear) -> None:
    ear.hear(utterance("음", span=0.1))
    ear.hear(utterance(""))
    assert not ear.is_speaking
    assert (broken_by(ear), ear.texts) == (None, [])


async def test_speech_that_is_noticed_and_keys_break_at_once(ear: Ear, clock: Clock) -> None:
    ear.notice()
    assert broken_by(ear) is BargeIn.SPEECH
    assert ear.is_speaking
    other = Ear(0.5, clock)
    other.attend()
    armed = other.arm()
    other.press("1")
    assert armed.result() is BargeIn.DIGITS
    assert other.digits == "1"


async def test_nothing_is_kept_while_nobody_attends(ear: Ear) -> None:
    ear.disarm()
    ear.neglect()
    ear.hear(utterance("여보세요", final=True))
    ear.press("1")
    ear.attend()
    assert (ear.texts, ear.digits, broken_by(ear)) == ([], "", None)


Deed = tuple[str, str]
DEEDS: Mapping[str, Callable[[Ear, str], None]] = {
    "interim": lambda ear, name: ear.hear(utterance("저기", name=name)),
    "final": lambda ear, name: ear.hear(utterance(f"말{name}", final=True, name=name)),
    "nothing": lambda ear, name: ear.hear(utterance("", name=name)),
    "notice": lambda ear, name: ear.notice(),
    "press": lambda ear, name: ear.press(name),
}


@given(st.lists(st.tuples(st.sampled_from(sorted(DEEDS)), st.sampled_from("12")), max_size=6), st.booleans())
def test_listening_always_ends_and_loses_nothing(deeds: list[Deed], digits_only: bool) -> None:
    async def work() -> Heard | Collected:
        ear = Ear(0.5, LoopClock())
        ear.attend()

        def does(left: list[Deed]) -> None:
            if left:
                (deed, name), *rest = left
                DEEDS[deed](ear, name)
                asyncio.get_running_loop().call_soon(does, rest)

        does(deeds)
        async with asyncio.timeout(5):
            if digits_only:
                return await collect(ear, count=None, terminator="#", no_input=0.02, between=0.01)
            return await listen(ear, PATIENCE)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        heard = runner.run(work())
    digits = "".join(name for deed, name in deeds if deed == "press")
    finals = [f"말{name}" for deed, name in deeds if deed == "final"]
    assert heard.digits == digits
    if isinstance(heard, Collected):
        assert (heard.ended is Collecting.NO_INPUT) is (not digits)
        assert heard.ended in (Collecting.NO_INPUT, Collecting.PAUSE)
    elif digits:
        assert heard.ended is Listening.DIGITS
    elif finals:
        assert heard.ended in (Listening.SPEECH, Listening.TOO_LONG)
        assert heard.text.startswith(" ".join(finals))
    else:
        assert heard.ended in (Listening.NO_INPUT, Listening.TOO_LONG)
