"""Every recording of a real switch becomes the call events that happened on it, and no other."""

from __future__ import annotations

import pytest

from tests.daemon.switch.translation import Line, Translation, recorded
from tests.wire import recordings

FRIDAY = {"text": "금요일", "final": True, "start": 5.14, "end": 6.56, "confidence": None, "channel": 0}
HEARD = {"result": FRIDAY, "vendor": "mindslab"}
HONG = {"caller": "01012341", "caller_name": "홍길동"}
KIM = {"caller_name": "김 철수"}


def whole_call(leg: str) -> list[Line]:
    """A call that parks, is answered, hears a prompt, speaks, presses keys, is transferred and hung up.

    Of its recogniser's events one has no leg and one no body. The tone at the end is nobody's speech.
    """
    return [
        (
            "LegAppeared",
            leg,
            {"call_key": leg, "direction": "inbound", **HONG, "callee": "07000001004", "did": "07000001004"},
        ),
        ("LegChanged", leg, {"code": "dev-app"}),
        ("LegParked", leg, {"code": "dev-app"}),
        ("LegProgressed", leg, {"early": True}),
        ("LegAnswered", leg, {}),
        ("AppSpoke", leg, {"text": "hello.wav", "vendor": "playback"}),
        ("SpeechRecognised", leg, HEARD),
        ("SpeechRecognised", leg, HEARD),
        ("SpeechRecognised", leg, HEARD),
        ("DigitPressed", leg, {"digit": "1"}),
        ("DigitPressed", leg, {"digit": "2"}),
        ("DigitPressed", leg, {"digit": "#"}),
        ("AppSpoke", leg, {"text": "hello.wav", "vendor": "playback"}),
        ("LegUnparked", leg, {"callee": "9664"}),
        ("LegEnded", leg, {"cause": "NORMAL_CLEARING"}),
    ]


@pytest.mark.parametrize(
    ("name", "leg"), [("01_plain_full_call.esl", "a07cf5e7"), ("02_json_full_call.esl", "0e3023b8")]
)
def test_a_whole_call(name: str, leg: str) -> None:
    told = Translation().take(recorded(name))
    assert told.lines() == whole_call(leg)
    assert told.translator.speech.unreadable == 1
    assert told.translator.speech.legless == 1
    assert told.translator.doubles.dropped == 0


def test_times_of_a_whole_call() -> None:
    told = Translation().take(recorded("02_json_full_call.esl"))
    assert told.events[0].created_at == told.events[0].at == 1795199377.049748  # type: ignore[union-attr]
    assert told.events[4].at == 1795199377.569727  # LegAnswered
    assert told.events[-1].at == 1795199383.089697  # CHANNEL_HANGUP, not what follows it


def loopback(a: str, b: str, number: str, code: str, did: str) -> list[Line]:
    """An originated loopback call: its b side looks like a second, inbound call and belongs to the first."""
    who = {"caller": number, **KIM, "callee": did, "did": did}
    return [
        ("LegAppeared", a, {"call_key": a, "direction": "outbound", **who}),
        ("LegAppeared", b, {"call_key": a, "direction": "inbound", **who}),
        ("LegParked", b, {"code": code}),
    ]


def test_originated_loopback_calls() -> None:
    nobody = {"caller": "0000000000", "callee": "nosuchnumber", "did": "nosuchnumber"}
    ended = {"cause": "MANAGER_REQUEST"}
    assert Translation().take(recorded("04j_json_bgapi.esl")).lines() == [
        *loopback("50fea9a3", "a6cef38f", "01098765483", "qa-app", "07000001003"),
        *loopback("534bbe6f", "ba5c7778", "01098765484", "dev-app", "07000001004"),
        *loopback("8606c014", "deb1cade", "01098765485", "uat-app", "07000001005"),
        ("LegAppeared", "9ee04186", {"call_key": "9ee04186", "direction": "outbound", **nobody}),
        ("LegAppeared", "ad974424", {"call_key": "9ee04186", "direction": "inbound", **nobody}),
        ("LegEnded", "ad974424", {"cause": "NO_ROUTE_DESTINATION"}),
        ("LegEnded", "9ee04186", {"cause": "NO_ROUTE_DESTINATION"}),
        ("LegEnded", "534bbe6f", ended),
        ("LegEnded", "deb1cade", ended),
        ("LegEnded", "8606c014", ended),
        ("LegEnded", "a6cef38f", ended),
        ("LegEnded", "50fea9a3", ended),
        ("LegEnded", "ba5c7778", ended),
    ]


def test_a_bridged_call_with_two_codes() -> None:
    """The b-leg carries its caller's code beside its own, and a call id that turns into its own at the end."""
    caller, a, b = "91e1da50", "24905dca", "5cf199f7"
    ended = {"cause": "NORMAL_CLEARING"}
    echo = {**HONG, "callee": "9197", "did": "9197"}
    assert Translation().take(recorded("04k_bridge_code.esl")).lines() == [
        (
            "LegAppeared",
            caller,
            {"call_key": caller, "direction": "inbound", **HONG, "callee": "07000001004", "did": "07000001004"},
        ),
        ("LegChanged", caller, {"code": "dev-app"}),
        ("LegParked", caller, {"code": "dev-app"}),
        ("LegUnparked", caller, {"callee": "7001"}),
        ("LegProgressed", caller, {"early": True}),
        ("LegAnswered", caller, {}),
        ("LegAppeared", a, {"call_key": caller, "direction": "outbound", **echo}),
        ("LegAppeared", b, {"call_key": a, "direction": "inbound", **echo, "code": "dev-app"}),
        ("LegChanged", b, {"code": "other-app"}),
        ("LegAnswered", a, {}),
        ("LegAnswered", b, {}),
        ("LegsBridged", caller, {"other_leg_id": a}),
        ("LegEnded", caller, ended),
        ("LegEnded", a, ended),
        ("LegEnded", b, ended),
    ]


def test_a_caller_who_hangs_up() -> None:
    leg = "c3b9a1a3"
    assert Translation().take(recorded("04l_caller_hangs_up.esl")).lines() == [
        (
            "LegAppeared",
            leg,
            {"call_key": leg, "direction": "inbound", **HONG, "callee": "07000001003", "did": "07000001003"},
        ),
        ("LegChanged", leg, {"code": "qa-app"}),
        ("LegParked", leg, {"code": "qa-app"}),
        ("LegProgressed", leg, {"early": True}),
        ("LegAnswered", leg, {}),
        ("LegEnded", leg, {"cause": "NORMAL_CLEARING"}),
    ]


def test_a_burst_of_twenty_calls() -> None:
    """Three finals of identical words and times are three utterances: their sequences differ."""
    told = Translation().take(recorded("06b_burst20_json.esl"))
    legs: dict[str, list[Line]] = {}
    for one in told.lines():
        legs.setdefault(one[1], []).append(one)
    assert len(legs) == 20
    assert len({lines[0][2]["caller"] for lines in legs.values()}) == 20
    for leg, lines in legs.items():
        who = {**HONG, "caller": lines[0][2]["caller"], "callee": "07000001004", "did": "07000001004"}
        assert lines == [
            ("LegAppeared", leg, {"call_key": leg, "direction": "inbound", **who}),
            ("LegChanged", leg, {"code": "dev-app"}),
            ("LegParked", leg, {"code": "dev-app"}),
            ("LegProgressed", leg, {"early": True}),
            ("LegAnswered", leg, {}),
            ("AppSpoke", leg, {"text": "hello.wav", "vendor": "playback"}),
            *[("SpeechRecognised", leg, HEARD)] * 3,
            ("LegEnded", leg, {"cause": "NORMAL_CLEARING"}),
        ]
    assert told.translator.doubles.dropped == 0


ECHO = {"caller": "0000000000", "callee": "9196", "did": "9196"}


def test_a_switch_that_shuts_down_ends_its_calls() -> None:
    a, b = "a9a8c688", "58aa685c"
    assert Translation().take(recorded("07a_shutdown_sigterm.esl")).lines() == [
        ("LegAppeared", a, {"call_key": a, "direction": "outbound", **ECHO}),
        ("LegAppeared", b, {"call_key": a, "direction": "inbound", **ECHO}),
        ("LegAnswered", a, {}),
        ("LegAnswered", b, {}),
        ("LegParked", a, {}),
        ("LegEnded", b, {"cause": "SYSTEM_SHUTDOWN"}),
        ("LegEnded", a, {"cause": "SYSTEM_SHUTDOWN"}),
    ]


def test_a_switch_that_is_killed_leaves_its_calls() -> None:
    a, b = "1185e567", "585a5854"
    assert Translation().take(recorded("07c_killed_SIGKILL.esl")).lines() == [
        ("LegAppeared", a, {"call_key": a, "direction": "outbound", **ECHO}),
        ("LegAppeared", b, {"call_key": a, "direction": "inbound", **ECHO}),
        ("LegAnswered", a, {}),
        ("LegParked", a, {}),
        ("LegAnswered", b, {}),
    ]


@pytest.mark.parametrize("name", recordings.esl())
def test_whatever_was_recorded_every_leg_begins_once_and_ends_at_most_once(name: str) -> None:
    told = Translation().take(recorded(name)).lines()
    for leg in {leg for _, leg, _ in told}:
        kinds = [kind for kind, of, _ in told if of == leg]
        assert kinds[0] == "LegAppeared"
        assert kinds.count("LegAppeared") == 1
        assert kinds.count("LegEnded") <= 1
        after = kinds[kinds.index("LegEnded") + 1 :] if "LegEnded" in kinds else []
        assert set(after) <= {"SpeechRecognised"}


@pytest.mark.parametrize("name", recordings.esl())
def test_a_recording_that_comes_twice_is_told_once(name: str) -> None:
    told = Translation().take(recorded(name))
    before = told.lines()
    assert told.take(recorded(name)).lines() == before
