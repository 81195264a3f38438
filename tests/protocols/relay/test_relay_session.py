"""One relayed call from the gateway's side: whose turn it is, every deadline and limit, and every way it ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import LocalError
from protocols.relay.events import (
    Answered,
    AppLeft,
    AppSent,
    Began,
    CallerHungUp,
    Event,
    NoticeTransferred,
    Spoken,
    VoiceFailed,
)
from protocols.relay.messages import Ask, EndReason, Expect, Hangup, Instruction, Say, Setup, Transfer, encode
from protocols.relay.orders import HandOver, HangUp, Listen, Order, Send, Speak
from protocols.relay.session import Limits, Phase, Session

BEGAN = Began(Setup(1, 1, "1790000000.42", "demo", "clinic-01", "clinic-app", "07012345678", notice_played=True))
SAY = Say("안녕하세요")
ASK = Ask("더 필요하신 것이 있으세요?")


def sent(instruction: Instruction) -> AppSent:
    return AppSent(encode(instruction))


def fields(order: Order) -> dict[str, Any]:
    """What a frame to the app says."""
    assert isinstance(order, Send)
    message = json.loads(order.frame)
    assert isinstance(message, dict)
    return message


def begun(limits: Limits | None = None, *, now: float = 0.0) -> Session:
    session = Session(limits)
    [setup] = session.take(BEGAN, now)
    assert fields(setup)["type"] == "setup"
    return session


def in_phase(phase: Phase) -> Session:
    """A session that has come as far as ``phase``."""
    session = Session() if phase is Phase.DIALLED else begun()
    if phase is Phase.SPEAKING:
        session.take(sent(SAY), 0)
    elif phase is Phase.LISTENING:
        session.take(sent(ASK), 0)
    elif phase is Phase.GOODBYE:
        session.take(sent(Hangup("안녕히 계세요")), 0)
    elif phase is Phase.ENDED:
        session.take(CallerHungUp(), 0)
    assert session.phase is phase
    return session


def ended(session: Session, orders: list[Order], reason: EndReason) -> list[Order]:
    """What there is to do after the one ``end``, which is checked."""
    end, *rest = orders
    assert fields(end) == {"type": "end", "turn": session.turn, "reason": reason.value}
    assert session.phase is Phase.ENDED
    assert session.reason is reason
    assert session.why
    assert session.deadline is None
    assert session.expire(1e9) == []
    return rest


def test_a_whole_dialogue() -> None:
    session = Session()
    assert (session.phase, session.turn, session.deadline, session.reason) == (Phase.DIALLED, 0, None, None)
    [setup] = session.take(BEGAN, 100.0)
    assert fields(setup) == {
        "type": "setup",
        "turn": 1,
        "version": 1,
        "callId": "1790000000.42",
        "tenantId": "demo",
        "orgId": "clinic-01",
        "appId": "clinic-app",
        "did": "07012345678",
        "noticePlayed": True,
    }
    assert session.deadline == 110.0
    assert session.take(sent(Say("예약을 도와드립니다", interruptible=True)), 101.0) == [
        Speak("예약을 도와드립니다", interruptible=True)
    ]
    assert session.deadline == 700.0
    [said] = session.take(Spoken(), 104.0)
    assert fields(said) == {"type": "said", "turn": 2}
    assert session.deadline == 114.0

    question = Ask("결제는 선불인가요, 착불인가요?", ("선불", "착불"))
    assert session.take(sent(question), 105.0) == [Listen(question.text, question.choices)]
    [prompt] = session.take(Answered("참불이요", spoke_during_playback=True), 110.0)
    assert fields(prompt) == {
        "type": "prompt",
        "turn": 3,
        "text": "참불이요",
        "silence": False,
        "lowConfidence": False,
        "spokeDuringPlayback": True,
        "heardVoice": True,
        "choice": "착불",
        "choiceIndex": 1,
        "choiceSource": "initial",
        "confirm": True,
    }
    [error] = session.take(AppSent('{"type":"sing"}'), 111.0)
    assert fields(error) == {
        "type": "error",
        "turn": 4,
        "code": "unknown_type",
        "message": "type is 'sing'; say, ask, transfer and hangup are allowed",
    }
    assert session.deadline == 121.0
    assert session.take(sent(Hangup("예약되었습니다")), 112.0) == [Speak("예약되었습니다")]
    assert ended(session, session.take(Spoken(), 115.0), EndReason.COMPLETED) == [HangUp()]
    assert session.turn == 5


# -- answers ---------------------------------------------------------------------------------------------------------

PLAIN = {"silence": False, "lowConfidence": False, "spokeDuringPlayback": False, "heardVoice": True}
PAYMENT = Ask("", ("선불", "착불"))


@pytest.mark.parametrize(
    ("question", "answer", "told"),
    [
        (ASK, Answered("없어요"), PLAIN | {"text": "없어요"}),
        (ASK, Answered("없어요", low_confidence=True), PLAIN | {"text": "없어요", "lowConfidence": True}),
        (ASK, Answered(), PLAIN | {"text": "", "silence": True, "heardVoice": False}),
        (ASK, Answered(" \n"), PLAIN | {"text": "", "silence": True, "heardVoice": False}),
        (ASK, Answered(heard_voice=True), PLAIN | {"text": "", "silence": True}),
        (ASK, Answered(digits="12"), PLAIN | {"text": "12", "heardVoice": False}),
        (ASK, Answered("십이", digits="12"), PLAIN | {"text": "십이"}),
        (ASK, Answered("서울", address={"status": "resolved"}), PLAIN | {"text": "서울"}),
        (
            PAYMENT,
            Answered("착불이요"),
            PLAIN | {"text": "착불이요", "choice": "착불", "choiceIndex": 1, "choiceSource": "exact"},
        ),
        (
            PAYMENT,
            Answered(digits="1"),
            PLAIN | {"text": "1", "heardVoice": False, "choice": "선불", "choiceIndex": 0, "choiceSource": "exact"},
        ),
        (
            PAYMENT,
            Answered("착불", digits="1"),
            PLAIN | {"text": "착불", "choice": "선불", "choiceIndex": 0, "choiceSource": "exact"},
        ),
        (
            PAYMENT,
            Answered("착불", digits="9"),
            PLAIN | {"text": "착불", "choice": "착불", "choiceIndex": 1, "choiceSource": "exact"},
        ),
        (
            Ask("", ("3시", "3일")),
            Answered(digits="3"),
            PLAIN | {"text": "3", "heardVoice": False, "choiceAmbiguous": True},
        ),
        (PAYMENT, Answered("선불 아니고 착불"), PLAIN | {"text": "선불 아니고 착불", "choiceAmbiguous": True}),
        (PAYMENT, Answered("몰라요"), PLAIN | {"text": "몰라요"}),
        (PAYMENT, Answered(), PLAIN | {"text": "", "silence": True, "heardVoice": False}),
        (
            Ask(expect=Expect.ADDRESS, label="배달지"),
            Answered("서울이요"),
            PLAIN | {"text": "서울이요", "address": {"status": "unavailable"}},
        ),
        (
            Ask(expect=Expect.ADDRESS),
            Answered("서울이요", address={"status": "partial", "missing": ["dong"]}),
            PLAIN | {"text": "서울이요", "address": {"status": "partial", "missing": ["dong"]}},
        ),
    ],
)
def test_what_the_app_is_told_of_an_answer(question: Ask, answer: Answered, told: dict[str, Any]) -> None:
    session = begun()
    assert session.take(sent(question), 1) == [Listen(question.text, question.choices, question.expect, question.label)]
    [prompt] = session.take(answer, 2)
    assert fields(prompt) == {"type": "prompt", "turn": 2} | told


def test_choices_go_back_as_the_app_wrote_them_and_only_to_their_question() -> None:
    session = begun()
    session.take(sent(Ask("", ("V.I.P", "일반"))), 1)
    assert fields(session.take(Answered("vip요"), 2)[0])["choice"] == "V.I.P"
    session.take(sent(ASK), 3)
    assert "choice" not in fields(session.take(Answered("vip요"), 4)[0])


# -- deadlines and limits --------------------------------------------------------------------------------------------


def test_an_app_that_is_silent_for_ten_seconds_loses_the_call() -> None:
    session = begun(now=5.0)
    assert session.expire(14.9) == []
    orders = session.expire(15.0)
    why = "the app sent nothing within 10 s"
    assert ended(session, orders, EndReason.APP_ERROR) == [HandOver(EndReason.APP_ERROR, why)]
    assert session.why == why


def test_every_message_of_ours_is_a_new_turn_of_ten_seconds() -> None:
    session = begun()
    steps: list[tuple[Event, float, float]] = [
        (sent(SAY), 9.0, 600.0),
        (Spoken(), 50.0, 60.0),
        (AppSent('{"type":"say"}'), 59.0, 69.0),
        (sent(ASK), 68.0, 600.0),
        (Answered(), 90.0, 100.0),
    ]
    for event, now, deadline in steps:
        session.take(event, now)
        assert session.deadline == deadline


def test_what_comes_after_the_deadline_is_too_late_even_if_nobody_looked_at_the_clock() -> None:
    session = begun()
    orders = session.take(sent(SAY), 10.0)
    assert ended(session, orders, EndReason.APP_ERROR) == [
        HandOver(EndReason.APP_ERROR, "the app sent nothing within 10 s")
    ]


def test_a_caller_who_is_gone_is_gone_at_any_time() -> None:
    session = begun()
    assert ended(session, session.take(CallerHungUp(), 1000.0), EndReason.CALLER_HANGUP) == []


@pytest.mark.parametrize("phase", [Phase.SPEAKING, Phase.LISTENING])
def test_ten_minutes_are_the_end_whatever_is_going_on(phase: Phase) -> None:
    session = in_phase(phase)
    assert session.deadline == 600.0
    assert session.expire(599.9) == []
    orders = session.expire(600.0)
    assert ended(session, orders, EndReason.LIMIT) == [HandOver(EndReason.LIMIT, "the dialogue lasted 600 s")]


def test_ten_minutes_end_the_apps_turn_too() -> None:
    session = begun(Limits(duration=15.0))
    session.take(sent(SAY), 1.0)
    session.take(Spoken(), 9.0)
    assert session.deadline == 15.0
    ended(session, session.expire(15.0), EndReason.LIMIT)


def test_a_goodbye_is_spoken_to_its_end() -> None:
    session = in_phase(Phase.GOODBYE)
    assert session.deadline is None
    assert session.expire(10_000.0) == []
    assert ended(session, session.take(Spoken(), 10_000.0), EndReason.COMPLETED) == [HangUp()]


def test_the_sixty_first_instruction_is_too_many() -> None:
    session = begun()
    for number in range(60):
        assert session.take(sent(Say(str(number))), 0) == [Speak(str(number))]
        session.take(Spoken(), 0)
    orders = session.take(sent(Hangup()), 0)
    why = "the app sent more than 60 instructions"
    assert ended(session, orders, EndReason.LIMIT) == [HandOver(EndReason.LIMIT, why)]


def test_refused_instructions_count_as_instructions() -> None:
    session = begun(Limits(instructions=2))
    session.take(AppSent("{}"), 0)
    session.take(sent(SAY), 0)
    session.take(Spoken(), 0)
    ended(session, session.take(sent(SAY), 0), EndReason.LIMIT)


# -- faults of the app -----------------------------------------------------------------------------------------------


def test_the_third_refusal_is_told_and_ends_the_call() -> None:
    session = begun()
    codes = []
    orders: list[Order] = []
    for frame in ('{"type":"say"}', '{"type":"ask","choices":[]}', '{"type":"ask","expect":"phone"}'):
        # What is right between two faults does not make up for them.
        session.take(sent(SAY), 0)
        session.take(Spoken(), 0)
        assert orders == []
        error, *orders = session.take(AppSent(frame), 0)
        codes.append(fields(error)["code"])
    assert codes == ["text_required", "bad_choices", "bad_expect"]
    why = "an instruction was refused (bad_expect), and that was fault 3"
    assert ended(session, orders, EndReason.APP_ERROR) == [HandOver(EndReason.APP_ERROR, why)]


@pytest.mark.parametrize("phase", [Phase.DIALLED, Phase.SPEAKING, Phase.LISTENING])
@pytest.mark.parametrize("frame", [encode(SAY), "no JSON"])
def test_what_nobody_asked_for_is_dropped_and_the_third_ends_the_call(phase: Phase, frame: str) -> None:
    session = in_phase(phase)
    for _ in range(2):
        assert session.take(AppSent(frame), 1) == []
        assert session.phase is phase
    why = f"the app sent something while the gateway was {phase.value}, and that was fault 3"
    orders = session.take(AppSent(frame), 1)
    assert ended(session, orders, EndReason.APP_ERROR) == [HandOver(EndReason.APP_ERROR, why)]


def test_refused_and_unasked_instructions_are_counted_together() -> None:
    session = begun()
    session.take(AppSent("{}"), 0)
    session.take(sent(ASK), 0)
    session.take(sent(ASK), 0)
    session.take(Answered(), 0)
    _, *orders = session.take(AppSent("{}"), 0)
    ended(session, orders, EndReason.APP_ERROR)


@pytest.mark.parametrize("frame", ["", "[1]", b"\xff\xfe"])
def test_what_is_no_json_object_ends_the_call_at_once(frame: str | bytes) -> None:
    session = begun()
    orders = session.take(AppSent(frame), 0)
    why = f"no message in a frame of length {len(frame)}"
    assert ended(session, orders, EndReason.APP_ERROR) == [HandOver(EndReason.APP_ERROR, why)]


# -- every end -------------------------------------------------------------------------------------------------------


def test_a_transfer_is_handed_over_at_once() -> None:
    session = begun()
    orders = session.take(sent(Transfer()), 0)
    why = "the app transferred the call"
    assert ended(session, orders, EndReason.TRANSFERRED) == [HandOver(EndReason.TRANSFERRED, why)]


@pytest.mark.parametrize("text", ["", "  "])
def test_a_hangup_without_words_is_done_at_once(text: str) -> None:
    session = begun()
    assert ended(session, session.take(sent(Hangup(text)), 0), EndReason.COMPLETED) == [HangUp()]


def test_a_notice_that_cannot_be_played_sends_the_caller_to_a_person() -> None:
    session = Session()
    orders = session.take(NoticeTransferred(), 0)
    why = "the notice could not be played"
    assert ended(session, orders, EndReason.NOTICE_TRANSFER) == [HandOver(EndReason.NOTICE_TRANSFER, why)]
    assert session.turn == 1


def test_a_caller_who_does_not_hear_the_goodbye_out_has_completed() -> None:
    session = in_phase(Phase.GOODBYE)
    assert ended(session, session.take(CallerHungUp(), 1), EndReason.COMPLETED) == []


def test_an_app_that_leaves_during_its_goodbye_is_spoken_for() -> None:
    session = in_phase(Phase.GOODBYE)
    events: list[Event] = [AppLeft(), sent(SAY), AppSent("x"), AppSent("x")]
    for event in events:
        assert session.take(event, 1) == []
    assert ended(session, session.take(Spoken(), 2), EndReason.COMPLETED) == [HangUp()]


BEGINNING: dict[type[Event], str | None] = {
    AppSent: None,
    AppLeft: "app_error",
    CallerHungUp: "caller_hangup",
    VoiceFailed: "voice_failed",
}
IGNORED: dict[type[Event], str | None] = {AppSent: None, AppLeft: None}
EVENTS: list[Event] = [
    BEGAN,
    NoticeTransferred(),
    sent(ASK),
    AppLeft(),
    Spoken(),
    Answered("네"),
    CallerHungUp(),
    VoiceFailed("the voice is away"),
]
OUTCOMES: dict[Phase, dict[type[Event], str | None]] = {
    Phase.DIALLED: {Began: None, NoticeTransferred: "notice_transfer", **BEGINNING},
    Phase.APP: BEGINNING,
    Phase.SPEAKING: {Spoken: None, **BEGINNING},
    Phase.LISTENING: {Answered: None, **BEGINNING},
    Phase.GOODBYE: {Spoken: "completed", CallerHungUp: "completed", VoiceFailed: "voice_failed", **IGNORED},
    Phase.ENDED: {type(event): None for event in EVENTS[1:]},
}


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("event", EVENTS)
def test_every_pair_of_phase_and_event(phase: Phase, event: Event) -> None:
    """Whether the pair can happen, and how the call ends by it, if it does."""
    session = in_phase(phase)
    before = session.turn, session.reason
    if type(event) not in OUTCOMES[phase]:
        with pytest.raises(LocalError, match=f"{type(event).__name__} cannot happen to a relay that is {phase.value}"):
            session.take(event, 0)
        assert (session.phase, session.turn, session.reason) == (phase, *before)
        return
    orders = session.take(event, 0)
    outcome = OUTCOMES[phase][type(event)]
    if outcome is not None:
        handed_over = [order for order in ended(session, orders, EndReason(outcome)) if isinstance(order, HandOver)]
        assert bool(handed_over) == (outcome not in ("completed", "caller_hangup"))
    elif phase is Phase.ENDED:
        assert (orders, session.turn, session.reason) == ([], *before)
    else:
        assert session.phase is not Phase.ENDED


def test_the_log_is_told_what_failed() -> None:
    session = in_phase(Phase.LISTENING)
    orders = session.take(VoiceFailed("the recogniser is away"), 1)
    assert ended(session, orders, EndReason.VOICE_FAILED) == [
        HandOver(EndReason.VOICE_FAILED, "the recogniser is away")
    ]


INSTRUCTIONS: list[Instruction] = [SAY, ASK, PAYMENT, Transfer(), Hangup(), Hangup("안녕히")]
FRAMES = st.sampled_from(
    [
        *[encode(each) for each in INSTRUCTIONS],
        *['{"type":"sing"}', '{"type":"say"}', "[]", '{"type":"ask","expect":"address"}'],
    ]
)
MOVES = st.tuples(
    st.just(BEGAN)
    | st.builds(AppSent, FRAMES)
    | st.builds(AppSent, st.just(encode(SAY)) | st.just(encode(ASK)))
    | st.sampled_from([Spoken(), Spoken(), Answered("착불이요"), Answered(), Answered(digits="1")])
    | st.sampled_from([CallerHungUp(), AppLeft(), VoiceFailed(), NoticeTransferred()]),
    st.sampled_from([0.0, 0.0, 0.5, 3.0, 10.0, 200.0]),
    st.booleans(),
)
LIMITS = st.builds(Limits, instructions=st.integers(1, 6), faults=st.integers(1, 4))


@given(LIMITS, st.lists(MOVES, max_size=60))
def test_whatever_happens_it_is_orderly(limits: Limits, moves: list[tuple[Event, float, bool]]) -> None:
    session = Session(limits)
    orders: list[Order] = []
    now = 0.0
    for event, passes, looks in moves:
        now += passes
        if looks:
            before = session.deadline
            expired = session.expire(now)
            assert bool(expired) == (before is not None and before <= now)
            orders += expired
        try:
            orders += session.take(event, now)
        except LocalError:
            assert type(event) not in OUTCOMES[session.phase]
    messages = [fields(order) for order in orders if isinstance(order, Send)]
    # Numbered without a gap, and one end at most, after which nothing is said.
    assert [message["turn"] for message in messages] == list(range(1, session.turn + 1))
    ends = [place for place, message in enumerate(messages) if message["type"] == "end"]
    assert ends == ([] if session.reason is None else [len(messages) - 1])
    # Never more to do than messages that can be answered, and never more than is allowed.
    work = [order for order in orders if isinstance(order, Speak | Listen)]
    assert len(work) <= min(limits.instructions, len(messages))
    assert sum(message["type"] == "error" for message in messages) <= limits.faults
    # What was begun is over before the next is begun.
    kinds = [type(order) for order in orders if not isinstance(order, Send)]
    assert all(kind in (Speak, Listen) for kind in kinds[:-1])
    left = [order for order in orders if isinstance(order, HandOver | HangUp)]
    if session.reason in (EndReason.CALLER_HANGUP, None):
        assert left == []
    elif session.reason is EndReason.COMPLETED:
        assert left in ([], [HangUp()])
    else:
        assert left == [HandOver(session.reason, session.why)]
        assert orders[-1] == left[0]


@given(st.text(max_size=80) | st.binary(max_size=80), st.sampled_from(list(Phase)))
def test_no_frame_of_an_app_raises(frame: str | bytes, phase: Phase) -> None:
    session = in_phase(phase)
    for _ in range(4):
        session.take(AppSent(frame), 1)
