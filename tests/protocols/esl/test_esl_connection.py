"""A session: sign-in, order of replies, events between them, and every way it ends."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import LimitError, LocalError, RemoteError
from protocols.esl import commands
from protocols.esl.commands import Command
from protocols.esl.connection import (
    Answered,
    AuthRefused,
    BrokenEvent,
    Closed,
    Connection,
    Disconnected,
    Notice,
    Phase,
    Ready,
    Rejected,
    UnawaitedReply,
    UnknownFrame,
)
from protocols.esl.events import EslEvent
from protocols.esl.messages import ApiResponse, CommandReply, LogData
from tests.protocols.esl.reference import event_frame, json_frame, read_frames
from tests.wire import recordings

GOODBYE = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
AUTH_REQUEST = b"Content-Type: auth/request\n\n"
OK = b"Content-Type: command/reply\nReply-Text: +OK\n\n"
API_OK = b"Content-Type: api/response\nContent-Length: 4\n\n+OK\n"
NOTICE = b"Content-Type: text/disconnect-notice\nContent-Length: 3\n\nbye"
LINGER = b"Content-Type: text/disconnect-notice\nContent-Disposition: linger\nLinger-Time: 3\nContent-Length: 0\n\n"
EVENT = json_frame([("Event-Name", "HEARTBEAT")])
HEARTBEAT = EslEvent(name="HEARTBEAT")


def ready(**limits: int) -> Connection:
    """A session that is signed in."""
    connection = Connection("ClueCon", **limits)
    phases = [connection.phase]
    assert connection.receive(AUTH_REQUEST) == []
    assert connection.data_to_send() == b"auth ClueCon\n\n"
    phases.append(connection.phase)
    assert connection.receive(b"Content-Type: command/reply\nReply-Text: +OK accepted\n\n") == [Ready()]
    assert connection.data_to_send() == b""
    assert [*phases, connection.phase] == [Phase.AUTH, Phase.AUTH, Phase.READY]
    return connection


def send(connection: Connection, *names: str) -> list[int]:
    """Send an ``api`` command of each name, each by a write of its own."""
    tokens = []
    for name in names:
        tokens.append(connection.send(commands.api(name)))
        assert connection.data_to_send() == f"api {name}\n\n".encode()
    return tokens


def api(text: str) -> bytes:
    return f"Content-Type: api/response\nContent-Length: {len(text.encode())}\n\n{text}".encode()


def played(name: str) -> list[Notice]:
    """What a session makes of a recording, whose commands somebody else sent."""
    connection = Connection("ClueCon")
    notices = connection.receive(recordings.read(name))
    notices += connection.receive_eof()
    assert connection.phase is Phase.CLOSED
    return notices


# -- recordings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in recordings.esl() if not name.startswith("05")])
def test_a_recording_byte_by_byte_is_the_same_session(name: str) -> None:
    data = recordings.read(name)[:300_000]
    whole = Connection("ClueCon")
    expected = whole.receive(data)
    connection = Connection("ClueCon")
    assert [notice for at in range(len(data)) for notice in connection.receive(data[at : at + 1])] == expected
    # As text, since the error of a recording that is cut here is another object.
    assert str(connection.receive_eof()) == str(whole.receive_eof())
    assert whole.unawaited == connection.unawaited == sum(isinstance(each, UnawaitedReply) for each in expected)


def test_a_recorded_call() -> None:
    notices = played("02_json_full_call.esl")
    assert Counter(type(notice) for notice in notices) == {
        Ready: 1,
        EslEvent: 74,
        UnawaitedReply: 19,
        Disconnected: 1,
        Closed: 1,
    }
    assert notices[0] == Ready()
    assert notices[-2:] == [Disconnected(GOODBYE, linger=False), Closed([], clean=True)]


def test_recorded_commands_each_get_their_reply() -> None:
    pairs = recordings.pairs()
    auth, *rest = pairs[:-1]
    connection = Connection("ClueCon")
    data = recordings.read("04d_commands.esl")
    connection.receive(data[:28])
    assert connection.data_to_send() == auth.command
    connection.receive(data[28:82])
    tokens = [connection.send(Command(pair.command)) for pair in rest]
    assert connection.data_to_send() == b"".join(pair.command for pair in rest)
    notices = connection.receive(data[82:])
    answers = notices[: len(tokens)]
    for token, pair, notice in zip(tokens, rest, answers, strict=True):
        assert isinstance(notice, Answered)
        assert notice.token == token
        expected = dict(line.split(b": ", 1) for line in pair.headers.split(b"\n"))
        if isinstance(notice.reply, CommandReply):
            assert expected[b"Content-Type"] == b"command/reply"
            assert notice.reply.text.encode() == expected[b"Reply-Text"]
            assert notice.reply.job_uuid.encode() == expected.get(b"Job-UUID", b"")
            assert notice.reply.ok == expected[b"Reply-Text"].startswith(b"+OK")
        else:
            assert expected[b"Content-Type"] == b"api/response"
            assert pair.matches(notice.reply.body.encode())
            assert len(notice.reply.body.encode()) == int(expected[b"Content-Length"])
            assert notice.reply.ok == (not pair.body.startswith((b"-ERR", b"-USAGE")))
    # The last pair is `exit`, with the notice that follows its reply.
    assert pairs[-1].body == GOODBYE.encode()
    assert notices[len(tokens) :] == [Disconnected(GOODBYE, linger=False)]
    assert connection.receive_eof() == [Closed([], clean=True)]
    assert connection.unawaited == 0


def test_a_recorded_pipeline_between_events_keeps_its_order() -> None:
    """Every command of the burst, sent when it was; the switch's own Job-UUIDs and channel ids tell the truth."""
    data = recordings.read("06b_burst20_json.esl")
    connection = Connection("ClueCon")
    asked: dict[int, bytes] = {}
    answered: list[int] = []
    at = 0

    def receive(until: int) -> None:
        nonlocal at
        for notice in connection.receive(data[at:until]):
            assert not isinstance(notice, UnawaitedReply | BrokenEvent | UnknownFrame)
            if isinstance(notice, Answered):
                answered.append(notice.token)
                if asked[notice.token].startswith(b"bgapi"):
                    assert isinstance(notice.reply, CommandReply)
                    assert notice.reply.text == f"+OK Job-UUID: {notice.reply.job_uuid}"
        at = until

    for sent in recordings.sent("06b_burst20_json.esl")[1:]:
        receive(sent.offset)
        asked[connection.send(Command(sent.data))] = sent.data
        connection.data_to_send()
    receive(len(data))
    assert answered == list(asked) == list(range(1, 122))
    assert connection.receive_eof() == [Closed([], clean=False)]


def test_recorded_refusal_of_a_password() -> None:
    assert played("04a_auth_fail.esl") == [
        AuthRefused("-ERR invalid"),
        Disconnected(GOODBYE, linger=False),
        Closed([], clean=True),
    ]


def test_recorded_commands_before_the_password() -> None:
    notices = played("04b_no_auth_commands.esl")
    # To a session of ours the first refusal is the answer to its password; it sends nothing after that.
    assert notices == [
        AuthRefused("-ERR command not found"),
        UnawaitedReply(CommandReply("-ERR command not found"), None),
        UnawaitedReply(CommandReply("+OK accepted"), None),
        UnawaitedReply(ApiResponse("FreeSWITCH Version 1.10.12-release~64bit ( 64bit)\n"), None),
        UnawaitedReply(CommandReply("-ERR command not found"), None),
        UnawaitedReply(CommandReply("+OK bye"), None),
        Disconnected(GOODBYE, linger=False),
        Closed([], clean=True),
    ]


def test_recorded_timeout_of_the_password() -> None:
    assert played("04i_auth_timeout.esl") == [Disconnected(GOODBYE, linger=False), Closed([], clean=True)]


def test_recorded_rejection_by_the_access_list() -> None:
    assert played("07d_acl_rude_rejection.esl") == [
        Rejected("Access Denied, go away.\n"),
        Disconnected(GOODBYE, linger=False),
        Closed([], clean=True),
    ]


def test_recorded_stop_of_the_switch_sends_events_after_its_goodbye() -> None:
    notices = played("07a_shutdown_sigterm.esl")
    kinds = [type(notice) for notice in notices]
    goodbye = kinds.index(Disconnected)
    assert notices[goodbye] == Disconnected("The system is being shut down.\n", linger=False)
    assert kinds.count(EslEvent) == 124
    assert kinds[goodbye + 1 :].count(EslEvent) > 0
    assert notices[-1] == Closed([], clean=True)


def test_recorded_kill_of_the_switch_is_a_bare_end() -> None:
    notices = played("07c_killed_SIGKILL.esl")
    assert Counter(type(notice) for notice in notices)[EslEvent] == 28
    assert not any(isinstance(notice, Disconnected) for notice in notices)
    assert notices[-1] == Closed([], clean=False)


def test_recorded_linger_is_not_the_end() -> None:
    ends = [notice for notice in played("04n_myevents_inbound.esl") if isinstance(notice, Disconnected | Closed)]
    assert ends == [Disconnected("", linger=True), Disconnected(GOODBYE, linger=False), Closed([], clean=True)]


def test_recorded_log_lines() -> None:
    lines = [notice for notice in played("04h_log.esl") if isinstance(notice, LogData)]
    naive = [frame for frame in read_frames(recordings.read("04h_log.esl")) if b"Content-Type: log/data" in frame.lines]
    assert [line.text.encode() for line in lines] == [frame.body for frame in naive]
    assert Counter(line.level for line in lines) == Counter(
        int(text[11:]) for frame in naive for text in frame.lines if text.startswith(b"Log-Level: ")
    )


@pytest.mark.parametrize("name", ["05a_outbound_async_full.esl", "05c_outbound_sync.esl"])
def test_a_connection_that_the_switch_opened_is_not_ours(name: str) -> None:
    (closed,) = played(name)
    assert isinstance(closed, Closed)
    assert "while the session is connected" in str(closed.error)


# -- order of replies ------------------------------------------------------------------------------------------------


def test_replies_go_to_commands_in_order_with_events_between() -> None:
    connection = ready()
    first, second = send(connection, "one", "two")
    assert connection.receive(EVENT + api("1") + EVENT + api("2") + EVENT) == [
        HEARTBEAT,
        Answered(first, ApiResponse("1")),
        HEARTBEAT,
        Answered(second, ApiResponse("2")),
        HEARTBEAT,
    ]


def test_a_forgotten_command_keeps_its_place() -> None:
    connection = ready()
    first, second = send(connection, "one", "two")
    connection.forget(first)
    connection.forget(first)
    assert connection.receive(api("1") + api("2")) == [
        UnawaitedReply(ApiResponse("1"), first),
        Answered(second, ApiResponse("2")),
    ]
    connection.forget(second)
    connection.forget(second + 1)  # the token of a command that is not sent yet
    (third,) = send(connection, "three")
    assert third == second + 1
    assert connection.receive(api("3")) == [Answered(third, ApiResponse("3"))]
    assert connection.unawaited == 1


def test_a_reply_to_nothing_is_counted_and_answers_nothing_later() -> None:
    connection = ready()
    assert connection.receive(OK + API_OK) == [
        UnawaitedReply(CommandReply("+OK"), None),
        UnawaitedReply(ApiResponse("+OK\n"), None),
    ]
    assert connection.unawaited == 2
    (token,) = send(connection, "one")
    assert connection.receive(api("1")) == [Answered(token, ApiResponse("1"))]


def test_a_reply_cannot_answer_what_was_not_sent() -> None:
    connection = ready()
    (first,) = send(connection, "one")
    second = connection.send(commands.api("two"))
    assert connection.receive(api("1") + api("?")) == [
        Answered(first, ApiResponse("1")),
        UnawaitedReply(ApiResponse("?"), None),
    ]
    assert connection.data_to_send() == b"api two\n\n"
    assert connection.receive(api("2")) == [Answered(second, ApiResponse("2"))]


def test_commands_are_taken_once_and_whole() -> None:
    connection = ready()
    connection.send(commands.api("one"))
    connection.send(commands.exit_())
    assert connection.data_to_send() == b"api one\n\nexit\n\n"
    assert connection.data_to_send() == b""


def test_commands_are_bounded_forgotten_ones_too() -> None:
    connection = ready(max_pending=2)
    first, _ = send(connection, "one", "two")
    connection.forget(first)
    with pytest.raises(LocalError, match="max_pending=2"):
        connection.send(commands.api("three"))
    assert connection.data_to_send() == b""
    connection.receive(api("1"))
    send(connection, "three")


def test_a_reply_tells_its_job() -> None:
    connection = ready()
    token = connection.send(commands.bgapi("status", job_uuid="j-1"))
    connection.data_to_send()
    assert connection.receive(b"Content-Type: command/reply\nReply-Text: +OK Job-UUID: j-1\nJob-UUID: j-1\n\n") == [
        Answered(token, CommandReply("+OK Job-UUID: j-1", "j-1"))
    ]


@pytest.mark.parametrize(
    ("reply", "ok"),
    [
        (CommandReply("+OK"), True),
        (CommandReply("-ERR invalid"), False),
        (CommandReply(""), False),
        (ApiResponse("+OK\n"), True),
        (ApiResponse("-ERR No such channel!\n"), False),
        (ApiResponse("-ERROR\n"), False),
        (ApiResponse("-USAGE: <uuid>\n"), False),
        (ApiResponse("false"), True),
        (ApiResponse(""), True),
        (ApiResponse("{}"), True),
    ],
)
def test_what_counts_as_yes(reply: CommandReply | ApiResponse, ok: bool) -> None:
    assert reply.ok is ok


Step = tuple[str, int]


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.sampled_from(["send", "take", "forget", "reply", "event"]), st.integers(0, 5)), max_size=60)
)
def test_every_command_ends_exactly_once(steps: list[Step]) -> None:
    """A model of the switch, which answers what it was given in order, against any course of a session."""
    connection = ready()
    queued: list[int] = []
    at_switch: list[int] = []
    forgotten: set[int] = set()
    ended: list[int] = []
    for step, number in steps:
        if step == "send":
            queued.append(connection.send(commands.api(str(len(queued)))))
        elif step == "take":
            connection.data_to_send()
            at_switch += queued
            queued = []
        elif step == "forget":
            waiting = at_switch + queued
            if waiting:
                forgotten.add(waiting[number % len(waiting)])
                connection.forget(waiting[number % len(waiting)])
        elif step == "event":
            assert connection.receive(EVENT) == [HEARTBEAT]
        elif at_switch:
            token = at_switch.pop(0)
            reply = ApiResponse(str(token))
            kind = UnawaitedReply(reply, token) if token in forgotten else Answered(token, reply)
            assert connection.receive(api(str(token))) == [kind]
            ended.append(token)
        else:
            assert connection.receive(OK) == [UnawaitedReply(CommandReply("+OK"), None)]
    (closed,) = connection.receive_eof()
    assert isinstance(closed, Closed)
    assert closed.pending_tokens == [token for token in at_switch + queued if token not in forgotten]
    assert closed.unsent_tokens == [token for token in queued if token not in forgotten]
    assert sorted(ended + at_switch + queued) == list(range(1, len(ended + at_switch + queued) + 1))


# -- the ends --------------------------------------------------------------------------------------------------------


def test_the_end_names_who_waits() -> None:
    connection = ready()
    tokens = send(connection, "one", "two", "three")
    unsent = [connection.send(commands.api("four")), connection.send(commands.api("five"))]
    connection.forget(tokens[1])
    connection.forget(unsent[1])
    assert connection.receive(api("1")) == [Answered(tokens[0], ApiResponse("1"))]
    assert connection.receive_eof() == [Closed([tokens[2], unsent[0]], clean=False, unsent_tokens=[unsent[0]])]
    assert connection.data_to_send() == b""
    assert connection.receive_eof() == []
    assert connection.receive(EVENT) == []


def test_an_end_within_a_frame_is_not_clean() -> None:
    connection = ready()
    assert connection.receive(NOTICE + EVENT[:-1]) == [Disconnected("bye", linger=False)]
    (closed,) = connection.receive_eof()
    assert isinstance(closed, Closed)
    assert not closed.clean
    assert "within a frame" in str(closed.error)


def test_after_the_goodbye_replies_and_events_come_and_no_command_goes() -> None:
    connection = ready()
    first, second = send(connection, "one", "two")
    assert connection.receive(api("1") + NOTICE + EVENT + api("2")) == [
        Answered(first, ApiResponse("1")),
        Disconnected("bye", linger=False),
        HEARTBEAT,
        Answered(second, ApiResponse("2")),
    ]
    assert connection.phase is Phase.LEAVING
    with pytest.raises(LocalError, match="leaving"):
        connection.send(commands.api("three"))
    assert connection.receive_eof() == [Closed([], clean=True)]


def test_commands_go_on_after_a_linger_notice() -> None:
    connection = ready()
    assert connection.receive(LINGER) == [Disconnected("", linger=True)]
    (token,) = send(connection, "one")
    assert connection.receive(api("1")) == [Answered(token, ApiResponse("1"))]


@pytest.mark.parametrize("data", [b"", AUTH_REQUEST])
def test_no_command_goes_before_the_password_is_accepted(data: bytes) -> None:
    connection = Connection("ClueCon")
    connection.receive(data)
    with pytest.raises(LocalError, match="auth"):
        connection.send(commands.api("one"))


def test_no_command_goes_after_the_end() -> None:
    connection = ready()
    connection.receive_eof()
    with pytest.raises(LocalError, match="closed"):
        connection.send(commands.api("one"))


def test_a_password_that_cannot_be_sent_is_told_at_once() -> None:
    with pytest.raises(LocalError, match="password"):
        Connection("Clue\nCon")


@pytest.mark.parametrize(
    ("start", "data", "says"),
    [
        ("new", OK, "command/reply.*connected"),
        ("new", EVENT, "event-json.*connected"),
        ("new", b"HTTP/1.1 400 Bad Request\nContent-Type: text/html\n\n", "text/html.*connected"),
        ("asked", AUTH_REQUEST, "auth/request.*authenticating"),
        ("asked", API_OK, "api/response.*authenticating"),
        ("asked", EVENT, "event-json.*authenticating"),
        ("ready", AUTH_REQUEST, "auth/request.*ready"),
        ("ready", b"Content-Type: text/rude-rejection\n\n", "rude-rejection.*ready"),
        ("ready", b"Hello\n\n", "b''.*ready"),
        ("leaving", AUTH_REQUEST, "auth/request.*leaving"),
    ],
)
def test_what_the_table_does_not_list_ends_the_session(start: str, data: bytes, says: str) -> None:
    if start in ("new", "asked"):
        connection = Connection("ClueCon")
        connection.receive(AUTH_REQUEST if start == "asked" else b"")
    else:
        connection = ready()
        connection.receive(NOTICE if start == "leaving" else b"")
    (closed,) = connection.receive(data + EVENT)
    assert isinstance(closed, Closed)
    assert isinstance(closed.error, RemoteError)
    assert re.search(says, str(closed.error))
    assert not closed.clean
    assert connection.phase is Phase.CLOSED


def test_what_came_before_a_fault_is_told_first() -> None:
    connection = ready(max_body=1_000)
    (token,) = send(connection, "one")
    *before, closed = connection.receive(EVENT + b"Content-Length: 1001\n\n")
    assert before == [HEARTBEAT]
    assert isinstance(closed, Closed)
    assert isinstance(closed.error, LimitError)
    assert (closed.error.limit, closed.pending_tokens) == ("max_body", [token])


def test_an_event_that_cannot_be_read_does_not_end_the_session() -> None:
    connection = ready()
    broken, event = connection.receive(event_frame(b"json", b"{]") + EVENT)
    assert event == HEARTBEAT
    assert isinstance(broken, BrokenEvent)
    assert broken.size == 2


def test_a_newer_switchs_frame_is_handed_up() -> None:
    connection = ready()
    assert connection.receive(b"Content-Type: text/new-thing\nContent-Length: 2\n\nhi" + EVENT) == [
        UnknownFrame("text/new-thing"),
        HEARTBEAT,
    ]


def test_a_log_line_of_an_odd_level_is_kept() -> None:
    connection = ready()
    for level in (b"", b"Log-Level: 12\n", b"Log-Level: x\n", b"Log-Level: \xd9\xa3\n"):
        data = b"Content-Type: log/data\n" + level + b"Content-Length: 3\n\na\xffb"
        assert connection.receive(data) == [LogData(7, "a\ufffdb")]
