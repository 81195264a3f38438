"""Commands: their bytes, and that no argument gets out of its line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import LocalError
from protocols.esl import commands
from protocols.esl.commands import Command, Subscription
from tests.wire import recordings

EXPECTED = [
    (commands.auth("ClueCon"), b"auth ClueCon\n\n"),
    (commands.api("status"), b"api status\n\n"),
    (commands.api("uuid_setvar", "u-1 memo 안녕 %41  x "), "api uuid_setvar u-1 memo 안녕 %41  x \n\n".encode()),
    (commands.bgapi("status", job_uuid="j-1"), b"bgapi status\nJob-UUID: j-1\n\n"),
    (commands.bgapi("originate", "a b", job_uuid="j-1"), b"bgapi originate a b\nJob-UUID: j-1\n\n"),
    (commands.subscribe(Subscription(("ALL",))), b"event json ALL\n\n"),
    (
        commands.subscribe(Subscription(("CHANNEL_CREATE", "DTMF"), ("a::b", "c::d"))),
        b"event json CHANNEL_CREATE DTMF CUSTOM a::b c::d\n\n",
    ),
    (commands.subscribe(Subscription((), ("a::b",))), b"event json CUSTOM a::b\n\n"),
    (
        commands.execute("u-1", "answer", event_uuid="e-1"),
        b"sendmsg u-1\ncall-command: execute\nexecute-app-name: answer\nEvent-UUID: e-1\n\n",
    ),
    (
        commands.execute("u-1", "speak", "flite|kal|Good day: 50% off", event_uuid="e-1", event_lock=True, loops=2),
        b"sendmsg u-1\ncall-command: execute\nexecute-app-name: speak\nexecute-app-arg: flite|kal|Good day: 50% off\n"
        b"loops: 2\nevent-lock: true\nEvent-UUID: e-1\n\n",
    ),
    (
        commands.hangup("u-1", "USER_BUSY"),
        b"sendmsg u-1\ncall-command: hangup\nhangup-cause: USER_BUSY\n\n",
    ),
    (commands.exit_(), b"exit\n\n"),
]

# Every place an argument can stand in, with the lines its command has.
PLACES: dict[str, tuple[Callable[[str], Command], int]] = {
    "auth password": (commands.auth, 1),
    "api name": (commands.api, 1),
    "api args": (lambda text: commands.api("echo", text), 1),
    "bgapi name": (lambda text: commands.bgapi(text, job_uuid="j-1"), 2),
    "bgapi args": (lambda text: commands.bgapi("echo", text, job_uuid="j-1"), 2),
    "bgapi job_uuid": (lambda text: commands.bgapi("echo", job_uuid=text), 2),
    "event": (lambda text: commands.subscribe(Subscription(("DTMF", text))), 1),
    "subclass": (lambda text: commands.subscribe(Subscription(("DTMF",), ("a::b", text))), 1),
    "execute leg_id": (lambda text: commands.execute(text, "answer", event_uuid="e-1"), 4),
    "execute app": (lambda text: commands.execute("u-1", text, event_uuid="e-1"), 4),
    "execute arg": (lambda text: commands.execute("u-1", "speak", text, event_uuid="e-1"), 5),
    "execute event_uuid": (lambda text: commands.execute("u-1", "answer", event_uuid=text), 4),
    "hangup leg_id": (lambda text: commands.hangup(text, "USER_BUSY"), 3),
    "hangup cause": (lambda text: commands.hangup("u-1", text), 3),
}
ARGUMENTS = {"auth password", "api args", "bgapi args", "execute arg"}
BREAKS = st.sampled_from(["\n", "\r", "\0", "\n\n", "\r\n", "\nEvent-UUID: x"])


@pytest.mark.parametrize(("command", "data"), EXPECTED)
def test_a_command_on_the_wire(command: Command, data: bytes) -> None:
    assert command == data


def test_a_recorded_client_wrote_the_same() -> None:
    (sendmsg,) = [sent.data for sent in recordings.sent("02_json_full_call.esl") if sent.data.startswith(b"sendmsg")]
    uuid = sendmsg.split()[1].decode()
    assert sendmsg == commands.execute(
        uuid,
        "playback",
        "/srv/freeswitch/sounds/hello.wav",
        event_uuid="11111111-2222-3333-4444-555555555555",
    )
    assert commands.bgapi("uuid_kill", f"{uuid} NORMAL_CLEARING", job_uuid="my-own-job-1") in [
        sent.data for sent in recordings.sent("02_json_full_call.esl")
    ]


@pytest.mark.parametrize("place", PLACES)
@given(st.text(max_size=20), BREAKS, st.text(max_size=20))
def test_no_argument_carries_a_line_break(place: str, before: str, line_break: str, after: str) -> None:
    with pytest.raises(LocalError):
        PLACES[place][0](before + line_break + after)


@pytest.mark.parametrize("place", PLACES)
@given(st.text(max_size=40))
def test_whatever_is_accepted_stays_in_its_place(place: str, text: str) -> None:
    make, lines = PLACES[place]
    try:
        command = bytes(make(text))
    except LocalError:
        return
    if not text:
        assert place in ARGUMENTS
        return
    assert command.endswith(b"\n\n")
    assert command[:-2].count(b"\n") == lines - 1
    assert b"\r" not in command
    assert b"\0" not in command
    assert text.encode() in command
    if place not in ARGUMENTS:
        assert len(text.split()) == 1


@pytest.mark.parametrize("place", PLACES)
def test_names_are_one_word_and_arguments_are_text(place: str) -> None:
    make, _ = PLACES[place]
    with pytest.raises(LocalError, match="not text"):
        make("\udc80")
    for text in ("", " ", "a b", " a", "a\t", "a\u2003b", "a\u2028b"):
        if place in ARGUMENTS:
            assert text.encode() in bytes(make(text))
        else:
            with pytest.raises(LocalError, match="one word"):
                make(text)


def test_an_error_does_not_repeat_a_secret() -> None:
    with pytest.raises(LocalError) as error:
        commands.auth("hush\n")
    assert "hush" not in str(error.value)


@pytest.mark.parametrize("name", ["CUSTOM", "custom", "Custom"])
def test_custom_without_subclasses_is_no_subscription(name: str) -> None:
    with pytest.raises(LocalError, match="CUSTOM"):
        commands.subscribe(Subscription(("DTMF", name), ("a::b",)))


def test_a_subscription_to_nothing_is_refused() -> None:
    with pytest.raises(LocalError, match="at least one"):
        commands.subscribe(Subscription((), ()))


@pytest.mark.parametrize("loops", [0, -1])
def test_loops_counts_from_one(loops: int) -> None:
    with pytest.raises(LocalError, match="loops"):
        commands.execute("u-1", "playback", "x", event_uuid="e-1", loops=loops)
