"""Events that no recording holds: what is missed, doubled, late, odd or of another vendor."""

from __future__ import annotations

import pytest

from daemon.calls.events import AnswererDetected, LegAppeared, LegEnded
from daemon.switch.snapshot import own_code
from protocols.esl.events import ChannelRow, EslEvent
from tests.daemon.switch.translation import Translation, event

BRAIN = "brain_stt::transcription"


def result(text: str, **values: str) -> EslEvent:
    return event("CUSTOM", subclass=BRAIN, body=f'{{"text":"{text}","start":8000,"end":16000}}', **values)


def kinds(told: Translation) -> list[str]:
    return [kind for kind, _, _ in told.lines()]


# What was missed


def test_a_leg_whose_beginning_was_missed_appears_with_its_first_event() -> None:
    told = Translation().take([result("네", code="dev-app", call_state="HELD", bridged_to="leg-2")])
    appeared = told.events[0]
    assert isinstance(appeared, LegAppeared)
    assert appeared.created_at == 1795199370.0
    assert appeared.answered_at == 1795199375.0
    assert (appeared.code, appeared.held, appeared.peer_id, appeared.parked) == ("dev-app", True, "leg-2", False)
    assert kinds(told) == ["LegAppeared", "SpeechRecognised"]


def test_a_parked_leg_whose_beginning_was_missed_is_parked() -> None:
    told = Translation().take([result("네", current_application="park", channel_state="CS_EXECUTE")])
    assert told.lines()[0][2]["parked"] is True


@pytest.mark.parametrize("name", ["CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY"])
def test_the_end_of_a_leg_that_was_never_seen_is_nothing(name: str) -> None:
    told = Translation().take([event(name, answer_state="hangup")])
    assert told.lines() == []
    # And nothing that comes late makes a call of it.
    told.take([event("CHANNEL_UNPARK"), event("CHANNEL_CREATE"), event("DTMF", dtmf_digit="1")])
    assert told.lines() == []


def test_an_event_of_a_leg_that_hangs_up_does_not_make_it_appear() -> None:
    assert Translation().take([event("CHANNEL_EXECUTE_COMPLETE", answer_state="hangup")]).lines() == []


@pytest.mark.parametrize("first", ["CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY"])
def test_a_missed_hangup_is_told_by_what_follows_it(first: str) -> None:
    told = Translation().take([event("CHANNEL_CREATE"), event(first, variable_hangup_cause="USER_BUSY")])
    assert told.lines()[1] == ("LegEnded", "leg-1", {"cause": "USER_BUSY"})


def test_a_leg_that_ended_is_not_brought_back_and_late_speech_is_still_its_own() -> None:
    told = Translation().take(
        [
            event("CHANNEL_CREATE"),
            event("CHANNEL_HANGUP", answer_state="hangup", hangup_cause="NORMAL_CLEARING"),
            event("CHANNEL_UNPARK", answer_state="hangup"),
            event("CHANNEL_UNBRIDGE", answer_state="hangup", other_leg_id="leg-2"),
            result("끝으로", answer_state="hangup"),
            event("CHANNEL_DESTROY"),
            event("CHANNEL_CREATE"),
            event("CHANNEL_ANSWER"),
            result("정말 끝"),
        ]
    )
    assert kinds(told) == ["LegAppeared", "LegEnded", "SpeechRecognised", "SpeechRecognised"]


def test_ended_legs_are_remembered_in_bounded_memory() -> None:
    told = Translation()
    for number in range(20_000):
        told.take([event("CHANNEL_HANGUP", f"leg-{number}")])
    assert len(told.translator.legs._ended) == 16_384
    assert told.translator.legs.is_known("leg-19999")
    assert not told.translator.legs.is_known("leg-1")


# Doubles and restarts


def test_a_double_is_dropped_and_equal_words_are_not() -> None:
    words = {"name": "DETECTED_SPEECH", "speech_type": "detected-speech", "body": "네"}
    told = Translation().take(
        [event(**words, sequence="41"), event(**words, sequence="41"), event(**words, sequence="42")]
    )
    assert kinds(told) == ["LegAppeared", "SpeechRecognised", "SpeechRecognised"]
    assert told.translator.doubles.dropped == 1


def test_another_core_ends_every_leg_before_its_first_event() -> None:
    told = Translation().take([event("CHANNEL_CREATE"), event("CHANNEL_CREATE", "leg-2")])
    told.take([event("HEARTBEAT", "", core_uuid="another")])
    ended = told.events[2:]
    assert [type(one) for one in ended] == [LegEnded, LegEnded]
    assert all(one.while_away and one.cause == "" for one in ended if isinstance(one, LegEnded))
    assert told.take([event("CHANNEL_ANSWER", core_uuid="another")]).lines()[4:] == []


def test_a_clock_set_otherwise_is_settled_once_for_each_core() -> None:
    told = Translation(now=1_000.0).take(
        [event("CHANNEL_CREATE"), event("CHANNEL_ANSWER", timestamp="1795199380000000")]
    )
    appeared = told.events[0]
    assert isinstance(appeared, LegAppeared)
    assert (appeared.at, appeared.created_at, appeared.answered_at) == (1_000.0, 993.0, 998.0)
    assert told.events[1].at == 1_003.0


def test_an_event_without_a_time_happens_now() -> None:
    assert Translation(now=1_000.0).take([event("CHANNEL_ANSWER", timestamp="")]).events[1].at == 1_000.0


# What a leg does


def test_hold_bridge_and_digits() -> None:
    told = Translation().take(
        [
            event("CHANNEL_CREATE"),
            event("CHANNEL_PROGRESS"),
            event("CHANNEL_HOLD"),
            event("CHANNEL_UNHOLD"),
            event("CHANNEL_BRIDGE", bridge_a_id="leg-1", bridge_b_id="leg-2"),
            event("CHANNEL_UNBRIDGE", bridge_a_id="leg-2", bridge_b_id="leg-1"),
            event("CHANNEL_BRIDGE", other_leg_id="leg-3"),
            event("CHANNEL_BRIDGE"),
            event("DTMF", dtmf_digit="d"),
            event("DTMF", dtmf_digit="F"),
            event("DTMF"),
        ]
    )
    assert told.lines()[1:] == [
        ("LegProgressed", "leg-1", {}),
        ("LegHeld", "leg-1", {"held": True}),
        ("LegHeld", "leg-1", {}),
        ("LegsBridged", "leg-1", {"other_leg_id": "leg-2"}),
        ("LegsUnbridged", "leg-1", {"other_leg_id": "leg-2"}),
        ("LegsBridged", "leg-1", {"other_leg_id": "leg-3"}),
        ("DigitPressed", "leg-1", {"digit": "D"}),
    ]


def test_code_is_not_read_from_events_with_another_leg() -> None:
    told = Translation().take(
        [
            event("CHANNEL_CREATE"),
            event("CHANNEL_EXECUTE_COMPLETE", code="theirs", other_leg_id="leg-2"),
            event("CHANNEL_PARK", code="theirs", other_leg_id="leg-2"),
            event("CHANNEL_EXECUTE_COMPLETE", code="ours"),
            event("CHANNEL_EXECUTE_COMPLETE", code="ours"),
        ]
    )
    assert told.lines()[1:] == [("LegParked", "leg-1", {}), ("LegChanged", "leg-1", {"code": "ours"})]


def test_a_transfer_of_a_leg_that_was_not_parked_changes_its_destination() -> None:
    told = Translation().take(
        [event("CHANNEL_CREATE"), event("CHANNEL_EXECUTE", destination="9664", application="answer")]
    )
    assert told.lines()[1:] == [("LegChanged", "leg-1", {"callee": "9664"})]


def test_the_number_dialled_first_survives_a_transfer() -> None:
    moved = {"destination": "9664", "rdnis": "07000001004"}
    first = Translation().take([event("CHANNEL_ANSWER", **moved, sip_to_user="07000001009")]).lines()[0][2]
    assert (first["callee"], first["did"]) == ("9664", "07000001009")
    assert Translation().take([event("CHANNEL_ANSWER", **moved)]).lines()[0][2]["did"] == "07000001004"
    # A new leg can carry the RDNIS of the one that placed it, or of a line: it was not transferred itself.
    assert Translation().take([event("CHANNEL_CREATE", **moved)]).lines()[0][2]["did"] == "9664"


def test_a_name_is_data() -> None:
    name = 'x\nUnique-ID: FORGED "\\" %{a} ${b} 😀'
    assert Translation().take([event("CHANNEL_CREATE", caller_name=name)]).lines()[0][2]["caller_name"] == name


def test_the_username_is_the_caller_before_the_number() -> None:
    assert Translation().take([event("CHANNEL_CREATE", caller_username="1001")]).lines()[0][2]["caller"] == "1001"


def test_what_is_not_of_calls_is_ignored() -> None:
    told = Translation().take(
        [
            event("CHANNEL_STATE"),
            event("CHANNEL_UUID", old_unique_id="before"),
            event("HEARTBEAT", ""),
            event("CUSTOM", subclass="brain_stt::odd", body="no JSON"),
            event("CHANNEL_CREATE", ""),
        ]
    )
    assert told.lines() == []
    assert told.translator.speech.unreadable == 0


# Speech


def test_every_way_a_result_can_be_unreadable_costs_that_result_only() -> None:
    bodies = ["", "not JSON", '{"text": 7}', '{"start": 1}', "[]", '{"text": null}']
    told = Translation().take([event("CHANNEL_CREATE")])
    told.take([event("CUSTOM", subclass=BRAIN, body=body) for body in bodies])
    told.take([result("네")])
    assert kinds(told) == ["LegAppeared", "SpeechRecognised"]
    assert told.translator.speech.unreadable == len(bodies)


def test_results_name_their_vendor_and_stream() -> None:
    heard = event(
        "CUSTOM",
        subclass="deepgram_transcribe::transcription",
        vendor="deepgram",
        bug_name="other-side",
        body='{"is_final":false,"start":1.5,"duration":0.5,"channel_index":[1,2],'
        '"channel":{"alternatives":[{"transcript":"여보","confidence":0.5}]}}',
    )
    words = {"text": "여보", "final": False, "start": 1.5, "end": 2.0, "confidence": 0.5, "channel": 1}
    assert Translation().take([heard]).lines()[1] == (
        "SpeechRecognised",
        "leg-1",
        {"result": words, "vendor": "deepgram", "stream": "other-side"},
    )


def test_trouble_of_a_recogniser_is_told() -> None:
    told = Translation().take(
        [
            event(
                "CUSTOM", subclass="jambonz_transcribe::error", vendor="google", body='{"type":"error","error":"no"}'
            ),
            event("CUSTOM", subclass="google_transcribe::max_duration_exceeded"),
        ]
    )
    assert [said for kind, _, said in told.lines() if kind == "RecogniserFailed"] == [
        {"error": {"message": "no", "restart": False, "goes_on": False}, "vendor": "google"},
        {
            "error": {
                "message": "the recogniser ended the stream at its time limit",
                "restart": True,
                "goes_on": False,
            },
            "vendor": "google",
        },
    ]


def test_the_switchs_own_speech_detection() -> None:
    told = Translation().take(
        [
            event("DETECTED_SPEECH", speech_type="begin-speaking"),
            event("DETECTED_SPEECH", speech_type="detected-partial-speech", body="여보"),
            event("DETECTED_SPEECH", speech_type="detected-speech", body="여보세요\n"),
            event("DETECTED_SPEECH", speech_type="closed"),
            event("DETECTED_SPEECH", "", speech_type="begin-speaking"),
        ]
    )
    assert kinds(told) == ["LegAppeared", "SpeechBegan", "SpeechRecognised", "SpeechRecognised", "RecogniserStopped"]
    said = [fields["result"] for kind, _, fields in told.lines() if kind == "SpeechRecognised"]
    assert [(one["text"], one["final"]) for one in said] == [("여보", False), ("여보세요", True)]
    assert told.translator.speech.legless == 1


def test_every_media_bug_starts_under_its_name_and_a_recognisers_without_one_too() -> None:
    told = Translation().take(
        [
            event("MEDIA_BUG_START", bug_function="session_record", bug_target="/srv/recordings/a.wav"),
            event("MEDIA_BUG_START", bug_function="caller_side"),
            event("MEDIA_BUG_START"),
            event("MEDIA_BUG_START", bug_function="brain_stt"),
            event("MEDIA_BUG_START", bug_function="google_transcribe", bug_name="mine"),
        ]
    )
    assert told.lines()[1:] == [
        ("RecogniserStarted", "leg-1", {"stream": "session_record"}),
        ("RecogniserStarted", "leg-1", {"stream": "caller_side"}),
        ("RecogniserStarted", "leg-1", {"stream": "brain_stt"}),
        ("RecogniserStarted", "leg-1", {}),
        ("RecogniserStarted", "leg-1", {"stream": "mine"}),
        ("RecogniserStarted", "leg-1", {}),
    ]


# What a snapshot shows


def find(
    told: Translation,
    channel: EslEvent,
    row: ChannelRow | None = None,
    *,
    code: str = "",
    parked: bool = False,
    peer_id: str = "",
) -> None:
    legs = told.translator.legs
    if legs.can_live(channel):
        legs.find(channel, row or ChannelRow(), code=code, parked=parked, peer_id=peer_id)


def test_a_channel_of_a_snapshot() -> None:
    told = Translation()
    channel = event("CHANNEL_DATA", code="theirs", loopback_leg="B", other_loopback_leg_id="leg-0")
    find(told, channel, code="dev-app", parked=True)
    fields = told.lines()[0][2]
    assert (fields["call_key"], fields["code"], fields["parked"]) == ("leg-0", "dev-app", True)


def test_an_originated_leg_is_called_by_whom_it_was_said_to_be_at_first() -> None:
    told = Translation()
    row = ChannelRow(initial_caller_name="Parley", initial_caller_number="1000", initial_destination="1001")
    find(told, event("CHANNEL_DATA", caller_number="public", caller_name="Outbound Call"), row)
    fields = told.lines()[0][2]
    assert (fields["caller"], fields["caller_name"], fields["did"]) == ("1000", "Parley", "1001")


@pytest.mark.parametrize(("result", "machine"), [("MACHINE", True), ("machine", True), ("HUMAN", False)])
def test_who_answered_is_told_once(result: str, machine: bool) -> None:
    answered = [event(name, amd_result=result) for name in ("CHANNEL_EXECUTE_COMPLETE", "CHANNEL_PARK")]
    told = Translation().take([event("CHANNEL_CREATE"), *answered])
    (detected,) = [event for event in told.events if isinstance(event, AnswererDetected)]
    assert detected.machine is machine


def test_a_detector_that_is_not_sure_says_nothing() -> None:
    told = Translation().take([event("CHANNEL_CREATE"), event("CHANNEL_PARK", amd_result="NOTSURE")])
    assert kinds(told) == ["LegAppeared", "LegParked"]


def test_a_bridged_leg_is_not_parked() -> None:
    told = Translation()
    find(told, event("CHANNEL_DATA"), parked=True, peer_id="leg-2")
    fields = told.lines()[0][2]
    assert (fields["peer_id"], fields.get("parked", False)) == ("leg-2", False)


def test_a_snapshot_never_brings_a_leg_back() -> None:
    told = Translation().take([event("CHANNEL_CREATE"), event("CHANNEL_HANGUP")])
    find(told, event("CHANNEL_DATA"))
    find(told, event("CHANNEL_DATA", "leg-2", answer_state="hangup"))
    assert kinds(told) == ["LegAppeared", "LegEnded"]


def test_a_snapshot_of_another_core_ends_what_was_before() -> None:
    told = Translation().take([event("CHANNEL_CREATE")])
    find(told, event("CHANNEL_DATA", "leg-2", core_uuid="another"))
    assert [(kind, leg) for kind, leg, _ in told.lines()] == [
        ("LegAppeared", "leg-1"),
        ("LegEnded", "leg-1"),
        ("LegAppeared", "leg-2"),
    ]


@pytest.mark.parametrize(
    ("dump", "code"),
    [
        ("Unique-ID: a\ncode: dev-app\nOther-Type: originatee\ncode: theirs\n", "dev-app"),
        ("Unique-ID: a\nOther-Type: originatee\ncode: theirs\n", ""),
        ("Unique-ID: a\ncode: %EC%95%B1%0A\n", "앱\n"),
        ("-ERR No such channel!", ""),
    ],
)
def test_the_code_that_is_the_channels_own(dump: str, code: str) -> None:
    assert own_code(dump) == code
