"""One connection over a real socket: signing in, being refused, cut off, starved and fed in pieces."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from daemon.switch.link import Link, LinkLostError, LinkRefusedError, connect
from protocols.errors import LocalError
from protocols.esl import commands
from protocols.esl.connection import Connection
from protocols.esl.events import EslEvent
from protocols.esl.messages import ApiResponse, CommandReply
from tests.daemon.switch.script import AUTH_REQUEST, GOODBYE, Conversation, json_event, reply, response
from tests.wire import recordings

Scripted = Callable[..., Any]


class Caught:
    """A link and everything it handed up."""

    def __init__(self, password: str = "ClueCon", **limits: int) -> None:
        self.events: list[EslEvent] = []
        self.answers: list[tuple[int, CommandReply | ApiResponse]] = []
        self.lost: list[tuple[list[int], list[int]]] = []
        self._changed = asyncio.Event()
        self.link = Link(
            Connection(password, **limits),
            "test",
            on_event=lambda event: self._note(self.events, event),
            on_answer=lambda token, answer: self._note(self.answers, (token, answer)),
            on_lost=lambda tokens, unsent: self._note(self.lost, (tokens, unsent)),
        )

    def _note(self, where: list[Any], what: Any) -> None:
        where.append(what)
        self._changed.set()

    async def connect(self, port: int, *, within: float = 10.0) -> Caught:
        await connect(self.link, "127.0.0.1", port, within=within)
        return self

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(30.0):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


async def test_signs_in_and_hands_up_in_order(scripted: Scripted) -> None:
    async def script(client: Conversation) -> None:
        await client.sign_in()
        assert client.commands == ["auth ClueCon"]
        assert await client.command() == "api version"
        await client.send(json_event(Event_Name="HEARTBEAT", Event_Sequence="1") + response("1.10"))
        await client.send(json_event(Event_Name="HEARTBEAT", Event_Sequence="2"))
        await client.gone()

    caught = await Caught().connect((await scripted(script)).port)
    assert caught.link.is_open
    token = caught.link.send(commands.api("version"))
    await caught.until(lambda: len(caught.events) == 2)
    assert caught.answers == [(token, ApiResponse("1.10"))]
    assert [event.sequence for event in caught.events] == ["1", "2"]
    caught.link.drop("enough")
    assert await caught.link.closed == "enough"
    assert not caught.link.is_open


async def test_one_command_is_one_write(scripted: Scripted) -> None:
    """Half a command would hold back every event of the switch."""
    reads: list[bytes] = []

    async def script(client: Conversation) -> None:
        await client.sign_in()
        reads.append(await client._reader.read(65_536))
        await client.send(reply("+OK"))
        await client.gone()

    caught = await Caught().connect((await scripted(script)).port)
    command = commands.execute("leg-1", "speak", "tts|ko|안녕하세요 " * 500, event_uuid="u-1")
    caught.link.send(command)
    await caught.until(lambda: caught.answers)
    assert reads == [command]


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_a_recording_in_pieces(scripted: Scripted, size: int) -> None:
    raw = recordings.read("04l_caller_hangs_up.esl")
    signed_in = raw.index(b"+OK accepted\n\n") + len(b"+OK accepted\n\n")
    raw = raw[signed_in : signed_in + (20_000 if size == 1 else len(raw))]

    async def script(client: Conversation) -> None:
        await client.sign_in()
        for at in range(0, len(raw), size):
            client._writer.write(raw[at : at + size])
            if at % (100 * size) == 0:
                await client._writer.drain()
                await asyncio.sleep(0)

    caught = await Caught().connect((await scripted(script)).port)
    await caught.link.closed
    # Compared with what comes of it in one piece.
    whole = Connection("ClueCon")
    whole.receive(AUTH_REQUEST + reply("+OK accepted"))
    assert caught.events == [notice for notice in whole.receive(raw) if type(notice) is EslEvent]
    assert caught.events


async def test_a_refused_password_is_for_an_operator(scripted: Scripted) -> None:
    async def script(client: Conversation) -> None:
        await client.send(AUTH_REQUEST)
        await client.command()
        await client.send(reply("-ERR invalid") + GOODBYE)

    with pytest.raises(LinkRefusedError, match=r"refuses the password.*-ERR invalid"):
        await Caught().connect((await scripted(script)).port)


async def test_the_recorded_refusals(scripted: Scripted) -> None:
    async def of_the_access_list(client: Conversation) -> None:
        await client.send(recordings.read("07d_acl_rude_rejection.esl"))

    async def of_the_password(client: Conversation) -> None:
        raw = recordings.read("04a_auth_fail.esl")
        end = raw.index(b"\n\n") + 2
        await client.send(raw[:end])
        await client.command()
        await client.send(raw[end:])

    with pytest.raises(LinkRefusedError, match=r"refuses our address.*Access Denied"):
        await Caught().connect((await scripted(of_the_access_list)).port)
    with pytest.raises(LinkRefusedError, match="refuses the password"):
        await Caught().connect((await scripted(of_the_password)).port)


async def test_nobody_listens(unused_tcp_port: int) -> None:
    with pytest.raises(LinkLostError, match=f"cannot connect to 127.0.0.1:{unused_tcp_port}"):
        await Caught().connect(unused_tcp_port)


@pytest.mark.parametrize("said", [b"", b"Content-Type: auth/req", AUTH_REQUEST])
async def test_a_switch_that_does_not_go_on(scripted: Scripted, said: bytes) -> None:
    async def script(client: Conversation) -> None:
        await client.send(said)
        await client.gone()

    with pytest.raises(LinkLostError, match="no answer from"):
        await Caught().connect((await scripted(script)).port, within=0.05)


@pytest.mark.parametrize("said", [b"", b"Content-Type: auth/req", AUTH_REQUEST, b"HTTP/1.1 400 Bad Request\n\n"])
async def test_a_switch_that_hangs_up_at_once(scripted: Scripted, said: bytes) -> None:
    async def script(client: Conversation) -> None:
        await client.send(said)

    with pytest.raises(LinkLostError):
        await Caught().connect((await scripted(script)).port)


async def test_cut_in_the_middle_of_a_frame(scripted: Scripted) -> None:
    async def script(client: Conversation) -> None:
        await client.sign_in()
        await client.command()
        await client.send(json_event(Event_Name="HEARTBEAT") + json_event(Event_Name="HEARTBEAT")[:-5])

    caught = await Caught().connect((await scripted(script)).port)
    token = caught.link.send(commands.api("version"))
    assert "ended within a frame" in await caught.link.closed
    assert len(caught.events) == 1
    assert caught.lost == [([token], [])]


async def test_a_stream_that_is_no_event_socket_is_dropped(scripted: Scripted) -> None:
    async def script(client: Conversation) -> None:
        await client.sign_in()
        await client.send(b"Content-Length: eleven\n\n")
        await client.gone()

    caught = await Caught().connect((await scripted(script)).port)
    assert "not a number of bytes" in await caught.link.closed


async def test_a_frame_past_the_limit_is_dropped(scripted: Scripted) -> None:
    async def script(client: Conversation) -> None:
        await client.sign_in()
        await client.send(b"Content-Length: 1001\nContent-Type: text/event-json\n\n")
        await client.gone()

    caught = await Caught(max_body=1000).connect((await scripted(script)).port)
    assert "max_body=1000" in await caught.link.closed


async def test_an_event_that_cannot_be_read_costs_itself_only(scripted: Scripted) -> None:
    async def script(client: Conversation) -> None:
        await client.sign_in()
        bad = b'{"Event-Name": "HEARTBEAT", '
        await client.send(b"Content-Length: %d\nContent-Type: text/event-json\n\n%b" % (len(bad), bad))
        await client.send(json_event(Event_Name="HEARTBEAT"))
        await client.gone()

    caught = await Caught().connect((await scripted(script)).port)
    await caught.until(lambda: caught.events)
    assert caught.link.broken_events == 1


async def test_what_comes_after_the_goodbye_still_counts(scripted: Scripted) -> None:
    async def script(client: Conversation) -> None:
        await client.sign_in()
        await client.send(GOODBYE + json_event(Event_Name="CHANNEL_HANGUP"))

    caught = await Caught().connect((await scripted(script)).port)
    assert await caught.link.closed == "Good night"
    assert [event.name for event in caught.events] == ["CHANNEL_HANGUP"]


async def test_a_lingering_goodbye_is_not_the_end(scripted: Scripted) -> None:
    async def script(client: Conversation) -> None:
        await client.sign_in()
        lingering = GOODBYE.replace(b"\n\n", b"\nContent-Disposition: linger\n\n", 1)
        await client.send(lingering)
        assert await client.command() == "api version"
        await client.send(response("1.10"))

    caught = await Caught().connect((await scripted(script)).port)
    caught.link.send(commands.api("version"))
    assert await caught.link.closed == "the switch closed the connection"
    assert len(caught.answers) == 1


async def test_nothing_is_sent_on_a_link_that_is_closed(scripted: Scripted) -> None:
    async def script(client: Conversation) -> None:
        await client.sign_in()

    caught = await Caught().connect((await scripted(script)).port)
    await caught.link.closed
    with pytest.raises(LocalError):
        caught.link.send(commands.api("version"))
    assert caught.lost == [([], [])]
