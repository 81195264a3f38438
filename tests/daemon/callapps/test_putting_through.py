"""A caller is put through to a person who is rung first."""

from __future__ import annotations

import asyncio

import pytest

from daemon.actor import Actor
from daemon.callapps.contract import AppCall, CommandFailedError, Reached
from daemon.callapps.marks import Marks, Stage
from daemon.calls.call import AppState
from daemon.demo.call import SimulatedCall
from daemon.demo.channel import Channel
from daemon.demo.exchange import Destination
from daemon.demo.switch import SimulatedSwitch
from daemon.stores.database import Database
from tests.daemon.callapps.conftest import Answer
from tests.daemon.callapps.phone import ANNOUNCEMENT, MUSIC, PERSON, Phone, apps, ended, plays

WORDS = "연결해 드리겠습니다"


class Desk:
    """An app that puts every caller through to ``PERSON``."""

    def __init__(self, announcement: str = "", ring_time: float = 30.0) -> None:
        self.reached: list[Reached] = []
        self._announcement = announcement
        self._ring_time = ring_time

    async def lead(self, call: AppCall) -> None:
        await call.answer()
        reached = await call.put_through(
            PERSON, words=WORDS, announcement=self._announcement, ring_time=self._ring_time
        )
        self.reached.append(reached)
        if reached is not Reached.JOINED:
            await call.hang_up("지금은 연결할 수 없습니다")


def persons_leg(switch: SimulatedSwitch) -> Channel | None:
    """The leg of the person who is rung."""
    legs = [leg for leg in switch.core.channels.values() if leg.outbound and leg.first_destination == PERSON]
    assert len(legs) <= 1
    return legs[0] if legs else None


async def rung(phone: Phone) -> Channel:
    """Wait until the person's phone rings; its leg."""
    await phone.following.until(lambda: persons_leg(phone.switch) is not None)
    leg = persons_leg(phone.switch)
    assert leg is not None
    return leg


async def joined(phone: Phone, call: SimulatedCall) -> Channel:
    await phone.following.until(lambda: phone.following.state(call.leg_id) == "bridged")
    assert call.leg.bridged is not None
    return call.leg.bridged


async def test_a_person_answers(switch: SimulatedSwitch, answer: Answer) -> None:
    desk = Desk(announcement="주문 문의입니다")
    phone = await answer(desk.lead, apps(hold_music=MUSIC))
    call = await phone.ring(caller="01012345678")
    person = await rung(phone)
    assert person.profile.number == "01012345678"
    assert await joined(phone, call) is person
    await phone.until_outcome(call, "handed_on")
    await phone.idle()
    assert desk.reached == [Reached.JOINED]
    assert call.leg.listening == []
    assert phone.call(call).legs[1].leg_id == person.uuid
    await phone.following.until(lambda: not any("parley_app" in leg.variables for leg in (call.leg, person)))
    assert person.last_app == ("speak", "tts|ko|주문 문의입니다")
    await call.hang_up()
    await person.gone.wait()


async def test_the_caller_hears_words_and_then_music(switch: SimulatedSwitch, answer: Answer) -> None:
    switch.exchange.destinations[PERSON] = Destination(rings=3600.0)
    phone = await answer(Desk().lead, apps(hold_music=MUSIC))
    call = await phone.ring()
    await phone.following.until(lambda: call.leg.last_app == ("playback", MUSIC))
    await phone.following.until(lambda: phone.call(call).app_state is AppState.HOLDING)
    assert phone.said(call) == [WORDS]
    await call.hang_up()
    await phone.idle()


async def test_music_makes_room_for_a_line(switch: SimulatedSwitch, answer: Answer, store: Database) -> None:
    switch.exchange.destinations[PERSON] = Destination(rings=3600.0)
    phone = await answer(Desk(ring_time=3600.0).lead, apps(hold_music=MUSIC))
    call = await phone.ring()
    people, actor = phone.interventions(store), Actor("hana", "session", "192.0.2.7")
    for line in ("곧 연결됩니다", "조금만 더 기다려 주세요"):
        await plays(call, MUSIC)
        assert await people.say(phone.call(call).call_id, line, actor=actor)
        assert phone.said(call)[-1] == line
    await plays(call, MUSIC)
    await call.hang_up()
    await phone.idle()


async def test_music_does_not_outlast_a_link_that_is_lost(switch: SimulatedSwitch, answer: Answer) -> None:
    switch.exchange.destinations[PERSON] = Destination(rings=3600.0)
    failed: list[CommandFailedError] = []

    async def app(call: AppCall) -> None:
        await call.answer()
        try:
            await call.put_through(PERSON)
        except CommandFailedError as error:
            failed.append(error)
        await call.hang_up("안녕히 계세요")

    phone = await answer(app, apps(hold_music=MUSIC))
    call = await phone.ring()
    await phone.following.until(lambda: call.leg.last_app == ("playback", MUSIC))
    switch.disconnect()
    await ended(call)
    await phone.until_said(call, "안녕히 계세요")
    assert [error.command for error in failed] == ["transfer"]


@pytest.mark.parametrize(
    ("cause", "reached"),
    [
        ("USER_BUSY", Reached.BUSY),
        ("NO_ANSWER", Reached.NO_ANSWER),
        ("CALL_REJECTED", Reached.REFUSED),
        ("USER_NOT_REGISTERED", Reached.FAILED),
    ],
)
async def test_nobody_is_reached(switch: SimulatedSwitch, answer: Answer, cause: str, reached: Reached) -> None:
    switch.exchange.destinations[PERSON] = Destination(rings=10.0, answers=False, cause=cause)
    desk = Desk()
    phone = await answer(desk.lead, apps(hold_music=MUSIC))
    call = await phone.ring()
    await phone.following.until(lambda: call.leg.last_app == ("playback", MUSIC))
    assert await ended(call) == "NORMAL_CLEARING"
    assert desk.reached == [reached]
    await phone.until_said(call, "지금은 연결할 수 없습니다")
    assert persons_leg(switch) is None


async def test_a_phone_rings_no_longer_than_asked_for(switch: SimulatedSwitch, answer: Answer) -> None:
    switch.exchange.destinations[PERSON] = Destination(rings=3600.0)
    desk = Desk(ring_time=2.0)
    phone = await answer(desk.lead)
    await ended(await phone.ring())
    assert desk.reached == [Reached.NO_ANSWER]
    assert persons_leg(switch) is None


async def test_a_person_hangs_up_while_being_told(switch: SimulatedSwitch, answer: Answer) -> None:
    switch.core.speed = 5.0
    desk = Desk(announcement="주문 문의입니다. 상품이 도착하지 않았다고 합니다.")
    phone = await answer(desk.lead)
    call = await phone.ring()
    person = await rung(phone)
    await phone.following.until(lambda: person.last_app[0] == "speak")
    person.thread.hang_up("NORMAL_CLEARING", by_far_end=True)
    switch.core.speed = 30.0
    await ended(call)
    assert desk.reached == [Reached.REFUSED]


@pytest.mark.parametrize("answers", [False, True])
async def test_a_caller_who_hangs_up_ends_the_other_leg(switch: SimulatedSwitch, answer: Answer, answers: bool) -> None:
    switch.core.speed = 5.0
    switch.exchange.destinations[PERSON] = Destination(rings=0.5 if answers else 3600.0)
    phone = await answer(Desk(announcement="주문 문의입니다. 상품이 도착하지 않았다고 합니다.").lead)
    call = await phone.ring()
    person = await rung(phone)
    if answers:
        await phone.following.until(lambda: person.last_app[0] == "speak")
    await call.hang_up()
    async with asyncio.timeout(30):
        await person.gone.wait()
    await phone.until_outcome(call, "hung_up")
    await phone.idle()


async def test_what_cannot_be_dialled(answer: Answer) -> None:
    refused: list[CommandFailedError] = []

    async def app(call: AppCall) -> None:
        await call.answer()
        for destination in ("nobody", "1001,1002", "{a=b}1001"):
            try:
                await call.put_through(destination)
            except CommandFailedError as error:
                refused.append(error)
        await call.hang_up("안녕히 계세요")

    phone = await answer(app)
    call = await phone.ring()
    await ended(call)
    assert [error.command for error in refused] == ["transfer"] * 3
    assert phone.said(call) == ["안녕히 계세요"]


async def test_nobody_is_rung_for_a_call_that_is_over(switch: SimulatedSwitch, answer: Answer) -> None:
    rung_after: list[Reached] = []

    async def app(call: AppCall) -> None:
        await call.answer()
        await call.hang_up()
        rung_after.append(await call.put_through(PERSON))

    phone = await answer(app)
    await ended(await phone.ring())
    await phone.idle()
    assert rung_after == []
    assert switch.core.channels == {}


async def test_a_caller_whose_number_is_odd_is_put_through_all_the_same(answer: Answer) -> None:
    phone = await answer(Desk().lead)
    call = await phone.ring(caller="홍길동,{a=b}")
    person = await joined(phone, call)
    assert "홍" not in person.profile.number
    await call.hang_up()


@pytest.mark.parametrize("answers", [False, True])
async def test_parley_is_killed_while_a_person_is_rung(switch: SimulatedSwitch, answer: Answer, answers: bool) -> None:
    switch.exchange.destinations[PERSON] = Destination(rings=0.5 if answers else 3600.0)
    phone = await answer(Desk(announcement="주문 문의입니다. " * 20).lead)
    call = await phone.ring()
    person = await rung(phone)
    assert person.variables["parley_app"] == "order.joining.here"
    if answers:
        await phone.following.until(lambda: person.last_app[0] == "speak")
    await phone.die()
    assert person.alive
    del switch.exchange.destinations[PERSON]
    later = await answer(Desk().lead)
    await later.following.until(lambda: later.following.state(call.leg_id) == "bridged")
    assert later.said(call)[-1] == ANNOUNCEMENT
    async with asyncio.timeout(30):
        await person.gone.wait()
    await call.hang_up()


async def test_a_bridge_that_the_switch_refuses(switch: SimulatedSwitch, answer: Answer) -> None:
    """The person is gone, and nothing was heard of it."""
    desk = Desk(announcement="주문 문의입니다")
    phone = await answer(desk.lead)
    call = await phone.ring()
    person = await rung(phone)
    await phone.following.until(lambda: person.last_app[0] == "speak")
    switch.core.channels.pop(person.uuid)
    await ended(call)
    assert desk.reached == [Reached.REFUSED]
    await phone.following.until(lambda: phone.following.state(person.uuid) == "ended")


def test_marks_are_told_apart() -> None:
    marks = Marks("here")
    for stage in Stage:
        left = marks.read(marks.of("order", stage))
        assert left is not None
        assert (left.app, left.stage) == ("order", stage)
    assert Marks("elsewhere").read(marks.of("order")) is None
    assert marks.read("order.other.here") is None
    assert marks.read("") is None
