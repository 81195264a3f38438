"""Events held back while a snapshot is taken, and who is told at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from daemon.calls.control import Certainty, Outcome
from daemon.switch.clock import SwitchClock
from daemon.switch.command_link import CommandLink
from daemon.switch.event_link import SUBSCRIPTION, EventLink
from daemon.switch.link import Link, LinkLostError, connect
from daemon.switch.translate import Translator
from protocols.esl.connection import Connection
from tests.daemon.switch.script import Conversation, reply
from tests.daemon.switch.translation import event

Scripted = Callable[..., Any]


class Held:
    """An event link that is subscribed over a real socket and holds events."""

    def __init__(self, **options: Any) -> None:
        self.told: list[Any] = []
        self.beats = 0
        self.commands = CommandLink(reply_timeout=10.0)
        self.now = 1795199377.0
        translator = Translator(
            "main", self.told.append, clock=SwitchClock("main", lambda: self.now), brain_sample_rate=8000
        )
        self.events = EventLink("main", translator, self.commands, on_heartbeat=self._beat, **options)
        self.link = Link(
            Connection("ClueCon"),
            "events",
            on_event=self.events.take,
            on_answer=self.events.answered,
            on_lost=self.events.lose,
        )

    def _beat(self) -> None:
        self.beats += 1

    async def subscribe(self, port: int, *, within: float = 10.0) -> Held:
        await connect(self.link, "127.0.0.1", port, within=10.0)
        await self.events.subscribe(self.link, within=within)
        return self

    def kinds(self) -> list[str]:
        return [type(one).__name__ for one in self.told]


async def agrees(client: Conversation) -> None:
    await client.sign_in()
    await client.command()
    await client.send(reply("+OK event listener enabled json"))
    await client.gone()


async def test_the_subscription_is_one_narrow_command(scripted: Scripted) -> None:
    said: list[str] = []

    async def script(client: Conversation) -> None:
        await client.sign_in()
        said.append(await client.command())
        await client.send(reply("+OK event listener enabled json"))

    await Held().subscribe((await scripted(script)).port)
    words = said[0].split()
    assert words[:2] == ["event", "json"]
    custom = words.index("CUSTOM")
    assert tuple(words[2:custom]) == SUBSCRIPTION.events
    assert tuple(words[custom + 1 :]) == SUBSCRIPTION.subclasses
    assert not {"ALL", "CHANNEL_STATE", "CHANNEL_CALLSTATE", "CHANNEL_UUID", "API"} & set(words)
    assert "brain_stt::transcription" in words


@pytest.mark.parametrize("answer", [b"", reply("-ERR no keywords supplied")])
async def test_a_switch_that_does_not_agree(scripted: Scripted, answer: bytes) -> None:
    async def script(client: Conversation) -> None:
        await client.sign_in()
        await client.command()
        await client.send(answer)
        await client.gone()

    held = Held()
    port = (await scripted(script)).port
    with pytest.raises(LinkLostError, match="subscription"):
        await held.subscribe(port, within=0.05)
    held.link.drop("enough")


async def test_a_link_that_is_lost_while_it_subscribes(scripted: Scripted) -> None:
    async def script(client: Conversation) -> None:
        await client.sign_in()
        await client.command()

    with pytest.raises(LinkLostError, match="lost while it subscribed"):
        await Held().subscribe((await scripted(script)).port)


async def test_how_long_an_event_is_held_is_no_difference_of_the_clocks(scripted: Scripted) -> None:
    held = await Held().subscribe((await scripted(agrees)).port)
    first = event("CHANNEL_CREATE")
    held.now = first.at
    held.events.take(first)
    held.now += 4.0
    held.events.release()
    assert held.told[0].at == first.at


async def test_what_is_held_is_told_in_order_when_it_is_released(scripted: Scripted) -> None:
    held = await Held().subscribe((await scripted(agrees)).port)
    for name in ("CHANNEL_CREATE", "CHANNEL_ANSWER", "CHANNEL_HOLD"):
        held.events.take(event(name))
    assert held.told == []
    held.events.release()
    held.events.take(event("CHANNEL_UNHOLD"))
    assert held.kinds() == ["LegAppeared", "LegAnswered", "LegHeld", "LegHeld"]
    held.link.drop("enough")


async def test_too_many_held_events_are_told_without_the_snapshot(scripted: Scripted) -> None:
    held = await Held(most_held=3).subscribe((await scripted(agrees)).port)
    held.events.take(event("CHANNEL_CREATE"))
    held.events.take(event("CHANNEL_ANSWER"))
    assert held.told == []
    held.events.take(event("CHANNEL_HOLD"))
    assert held.kinds() == ["LegAppeared", "LegAnswered", "LegHeld"]
    held.events.take(event("CHANNEL_UNHOLD"))
    assert held.kinds()[-1] == "LegHeld"
    held.link.drop("enough")


async def test_who_waits_for_a_command_does_not_wait_for_a_snapshot(scripted: Scripted) -> None:
    held = await Held().subscribe((await scripted(agrees)).port)
    commands_link = Link(
        Connection("ClueCon"),
        "commands",
        on_event=lambda _: None,
        on_answer=held.commands.answered,
        on_lost=held.commands.lose,
    )

    async def accepts(client: Conversation) -> None:
        await client.sign_in()
        sent.set_result((await client.command()).rpartition("Job-UUID: ")[2])
        await client.send(reply("+OK Job-UUID"))
        await client.gone()

    sent: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    await connect(commands_link, "127.0.0.1", (await scripted(accepts)).port, within=10.0)
    held.commands.attach(commands_link)
    held.commands.events_up()
    job = asyncio.create_task(held.commands.job("originate", "user/1000 &park()", within=10.0))
    held.events.take(event("BACKGROUND_JOB", "", job_uuid=await sent, body="+OK leg-1\n"))
    held.events.take(event("HEARTBEAT", ""))
    assert await job == Outcome(Certainty.ANSWERED, True, "+OK leg-1")
    assert held.beats == 1
    assert held.told == []
    for link in (held.link, commands_link):
        link.drop("enough")
