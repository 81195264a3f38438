"""What Parley says stands in the dialogue once: open while it is said, whole or broken off when it is over."""

from __future__ import annotations

import pytest

from daemon.calls.events import AppFellSilent, AppSpoke
from daemon.transcripts.saying import broken_off
from daemon.transcripts.utterance import Speaker, Utterance
from tests.daemon.transcripts.dialogue import Dialogue

TEXT = "안녕하세요 무엇을 도와드릴까요"
LONG = " ".join([TEXT] * 5)


@pytest.fixture
def dialogue() -> Dialogue:
    dialogue = Dialogue()
    dialogue.appear("a")
    return dialogue


def open_on(dialogue: Dialogue, leg_id: str = "a") -> list[Utterance]:
    return dialogue.transcripts.interims(dialogue.call(leg_id).call_id)


def test_it_is_open_and_then_final(dialogue: Dialogue) -> None:
    dialogue.happen(AppSpoke, "a", text=TEXT, vendor="speak", said_id="s1")
    (saying,) = open_on(dialogue)
    assert (saying.text, saying.final, saying.seq, saying.speaker) == (TEXT, False, 0, Speaker.APP)
    assert dialogue.finals("a") == []
    dialogue.happen(AppFellSilent, "a", said_id="s1")
    assert open_on(dialogue) == []
    (said,) = dialogue.transcripts.finals(dialogue.call("a").call_id)
    assert (said.utterance_id, said.said_at, said.seq) == (saying.utterance_id, saying.said_at, 1)
    assert dialogue.shown() == [TEXT]


def test_it_stands_before_what_broke_it_off(dialogue: Dialogue) -> None:
    dialogue.happen(AppSpoke, "a", text=LONG, vendor="speak", said_id="s1")
    dialogue.hear("a", "상담원이요")
    dialogue.happen(AppFellSilent, "a", said_id="s1", broken_off=True)
    (said, heard) = dialogue.shown()
    assert heard == "상담원이요"
    assert said.startswith("안녕하세요 ")
    assert said.endswith("도와드릴까요]")
    assert said.replace(" — [", " ").removesuffix("]") == LONG


def test_its_end_may_be_missed(dialogue: Dialogue) -> None:
    for number in range(3):
        dialogue.happen(AppSpoke, "a", text=f"{number} 번째", vendor="speak", said_id=f"s{number}")
    dialogue.happen(AppFellSilent, "a", said_id="s0", broken_off=True)
    assert dialogue.finals("a") == ["0 번째", "1 번째"]
    assert [one.text for one in open_on(dialogue)] == ["2 번째"]


def test_the_end_of_the_leg_breaks_it_off(dialogue: Dialogue) -> None:
    dialogue.happen(AppSpoke, "a", text=LONG, vendor="speak", said_id="s1")
    dialogue.end("a")
    dialogue.happen(AppFellSilent, "a", said_id="s1")
    (said,) = dialogue.finals("a")
    assert said.endswith("도와드릴까요]")
    assert open_on(dialogue) == []


def test_its_call_may_get_another_id(dialogue: Dialogue) -> None:
    dialogue.happen(AppSpoke, "a", text=TEXT, vendor="speak", said_id="s1")
    fresh = dialogue.call("a").call_id
    dialogue.registry.rekey(fresh, "again")
    dialogue.transcripts.rekey(fresh, "again", [])
    assert [one.call_id for one in open_on(dialogue)] == ["again"]
    dialogue.happen(AppFellSilent, "a", said_id="s1")
    assert dialogue.finals("a") == [TEXT]


@pytest.mark.parametrize(("seconds", "text"), [(0.0, "— [한 둘]"), (0.2, "한 — [둘]"), (60.0, "한 둘")])
def test_where_it_breaks_is_marked(seconds: float, text: str) -> None:
    assert broken_off("한 둘", seconds) == text
