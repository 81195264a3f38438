"""Which calls may be placed, how many, and when."""

from __future__ import annotations

import asyncio
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.actor import Actor
from daemon.callapps.calling_hours import DAYS, CallingHours
from daemon.callapps.contract import AppCall
from daemon.callapps.outgoing import (
    NotNowError,
    NotPossibleError,
    OutgoingOffError,
    OutgoingState,
    TooManyOutgoingError,
)
from daemon.config import CallAppsConfig
from daemon.demo.exchange import Destination
from daemon.demo.switch import SimulatedSwitch
from tests.daemon.callapps.conftest import Dial
from tests.daemon.callapps.dialler import NOON, NUMBER
from tests.daemon.callapps.phone import PERSON, apps
from tests.daemon.callapps.test_outgoing_calls import FOR_EVER, reminding, staying

SEOUL = ZoneInfo("Asia/Seoul")


async def test_off_until_numbers_are_allowed(dial: Dial) -> None:
    dialler = await dial(reminding, allowed=[])
    with pytest.raises(OutgoingOffError, match=r"allowed.*\[callapps\.outgoing\].*\[switch\.dial\]"):
        await dialler.place()
    dialler = await dial(reminding, config=CallAppsConfig())
    with pytest.raises(OutgoingOffError, match=r"\[\[callapps\.app\]\]"):
        await dialler.place()
    assert dialler.legs() == []


@pytest.mark.parametrize(
    ("to", "allowed", "refused"),
    [
        ("01099990000", ["010[0-4].*"], []),
        (NUMBER, [".*"], ["010.*"]),
        ("+82 10-1234-5678", [".*"], [NUMBER]),
        ("112", [".*"], []),
        ("", [".*"], []),
        ("홍길동", [".*"], []),
        ("0101234\0005678", [".*"], []),
        ("01012345678,01012345679", [".*"], []),
        ("01012345678 &park()", [".*"], []),
        ("{a=b}01012345678", [".*"], []),
        ("01012345678'", [".*"], []),
        ("1" * 21, [".*"], []),
    ],
)
async def test_what_may_not_be_called(dial: Dial, to: str, allowed: list[str], refused: list[str]) -> None:
    dialler = await dial(reminding, allowed=allowed, refused=refused)
    with pytest.raises(NotPossibleError) as error:
        await dialler.place(to)
    assert not to or to not in str(error.value)
    with pytest.raises(NotPossibleError, match="order"):
        await dialler.place(app="other")
    assert dialler.switch.core.channels == {}


@pytest.mark.parametrize("to", ["+82 (0)10-1234-5678", "010\r\n1234 5678"])
async def test_a_number_is_dialled_in_its_normal_form(dial: Dial, to: str) -> None:
    dialler = await dial(staying)
    placed = await dialler.place(to)
    assert placed.number == NUMBER
    assert len(dialler.legs()) == 1


async def test_a_request_sent_again_places_no_second_call(switch: SimulatedSwitch, dial: Dial) -> None:
    switch.exchange.destinations[NUMBER] = FOR_EVER
    dialler = await dial(reminding)
    first, second = await asyncio.gather(dialler.place(key="k"), dialler.place(key="k"))
    assert first.call_id == second.call_id
    assert len(dialler.legs()) == 1
    with pytest.raises(NotPossibleError, match="key"):
        await dialler.place(key="k", variables={"a": "b"})
    other = await dialler.place(key="k", actor=Actor("sora", "token"))
    assert other.call_id != first.call_id
    dialler.now += 86_401.0
    assert (await dialler.place(key="k")).call_id != first.call_id
    assert [one.call_id for one in await dialler.outgoing.latest(2)][1] in (first.call_id, other.call_id)


async def test_so_many_within_an_hour(switch: SimulatedSwitch, dial: Dial) -> None:
    switch.exchange.destinations[NUMBER] = Destination(answers=False, cause="USER_BUSY")
    dialler = await dial(reminding, per_user_per_hour=2, per_hour=3)
    sora = Actor("sora", "token")
    for actor in (sora, sora):
        await dialler.until_over(await dialler.place(actor=actor))
        dialler.now += 60.0
    with pytest.raises(TooManyOutgoingError) as error:
        await dialler.place(actor=sora)
    assert error.value.retry_after == 3600.0 - 120.0
    await dialler.place()
    with pytest.raises(TooManyOutgoingError):
        await dialler.place()
    dialler.now = NOON + 3601.0
    await dialler.place(actor=sora)


async def test_so_many_at_once(switch: SimulatedSwitch, dial: Dial) -> None:
    switch.exchange.destinations[NUMBER] = FOR_EVER
    dialler = await dial(staying, at_once=2)
    asked = await asyncio.gather(*(dialler.place() for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(one, TooManyOutgoingError) for one in asked) == 3
    assert len(dialler.legs()) == 2
    dialler.legs()[0].thread.hang_up("USER_BUSY", by_far_end=True)
    await dialler.following.until(lambda: len(dialler.placements) == 1)
    await dialler.place()


async def test_who_was_handed_on_still_has_a_place(dial: Dial) -> None:
    async def handing_on(call: AppCall) -> None:
        await call.transfer(PERSON)

    dialler = await dial(handing_on, at_once=1)
    placed = await dialler.place()
    await dialler.following.until(lambda: dialler.live(placed).state == "bridged")
    await dialler.idle()
    with pytest.raises(TooManyOutgoingError):
        await dialler.place()


async def test_no_more_than_apps_may_lead(switch: SimulatedSwitch, dial: Dial) -> None:
    dialler = await dial(staying, config=apps(at_once=1))
    call = await dialler.ring()
    await dialler.following.until(lambda: dialler.script.calls)
    with pytest.raises(TooManyOutgoingError):
        await dialler.place()
    await call.hang_up()
    await dialler.idle()
    await dialler.until(await dialler.place(), OutgoingState.ANSWERED)


async def test_outside_the_hours(dial: Dial) -> None:
    dialler = await dial(reminding, closes="12:00")
    with pytest.raises(NotNowError, match="09:00 to 12:00") as error:
        await dialler.place()
    assert error.value.retry_after == 21 * 3600.0
    dialler.now -= 1.0
    await dialler.place()


@pytest.mark.parametrize(
    ("at", "wait"),
    [
        ("2026-03-04 08:59:59", 1.0),
        ("2026-03-04 09:00:00", 0.0),
        ("2026-03-04 19:59:59", 0.0),
        ("2026-03-04 20:00:00", 13 * 3600.0),
        ("2026-03-06 20:00:00", 2 * 86_400.0 + 13 * 3600.0),
        ("2026-03-07 12:00:00", 86_400.0 + 21 * 3600.0),
    ],
)
def test_hours_are_those_of_the_zone(at: str, wait: float) -> None:
    hours = CallingHours(DAYS[:5], "09:00", "20:00", SEOUL)
    assert hours.open_in(datetime.fromisoformat(at).replace(tzinfo=SEOUL).timestamp()) == wait


def test_a_day_may_be_open_to_its_end() -> None:
    hours = CallingHours(DAYS, "00:00", "24:00", SEOUL)
    assert hours.open_in(NOON + 12 * 3600 - 1) == 0.0
    assert hours.open_in(NOON + 12 * 3600) == 0.0


@given(
    st.floats(0.0, 4e9),
    st.lists(st.sampled_from(DAYS), min_size=1, max_size=7),
    st.sampled_from(["Asia/Seoul", "America/New_York", "UTC"]),
)
def test_when_they_open_they_are_open(now: float, days: list[str], zone: str) -> None:
    hours = CallingHours(days, "09:00", "20:00", ZoneInfo(zone))
    wait = hours.open_in(now)
    assert 0.0 <= wait <= 8 * 86_400.0
    assert hours.open_in(now + wait + 0.001) == 0.0 or wait == 0.0
