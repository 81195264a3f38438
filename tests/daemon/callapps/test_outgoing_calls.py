"""Calls that Parley places into an app, and what comes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from structlog.testing import capture_logs

from daemon.callapps.contract import AppCall
from daemon.callapps.intervention_errors import NotPossibleError
from daemon.callapps.outgoing import OutgoingState, SwitchAwayError
from daemon.calls.call import Disposition
from daemon.calls.control import Outcome
from daemon.calls.links import LinkState
from daemon.demo.channel import Channel
from daemon.demo.exchange import Destination
from daemon.demo.switch import SimulatedSwitch
from daemon.stores.audit import AuditRow, latest_audit
from daemon.stores.database import Database
from daemon.stores.outgoing_calls import OutgoingCallRow, get_outgoing_call
from tests.daemon.callapps.conftest import Dial
from tests.daemon.callapps.dialler import JIN, NOON, NUMBER
from tests.daemon.callapps.phone import ANNOUNCEMENT, DIAL, PERSON, apps
from tests.daemon.switch.following import Following

FOR_EVER = Destination(rings=36_000.0)


async def reminding(call: AppCall) -> None:
    await call.answer()
    call.outcome = "reminded"
    await call.hang_up(f"{call.variables.get('name', '고객')}님, 내일 예약이 있습니다")


async def staying(call: AppCall) -> None:
    await call.answer()
    await asyncio.Event().wait()


async def test_somebody_answers(switch: SimulatedSwitch, store: Database, dial: Dial) -> None:
    told: list[tuple[str, str, str, str, bool, Mapping[str, str]]] = []

    async def app(call: AppCall) -> None:
        told.append((call.caller, call.callee, call.did, call.code, call.machine, call.variables))
        await reminding(call)

    dialler = await dial(app)
    with capture_logs() as logs:
        placed = await dialler.place(variables={"name": "홍길동", "a'}": "{b},\r\n"})
        assert placed.state in (OutgoingState.RINGING, OutgoingState.ANSWERED)
        over = await dialler.until_over(placed)
        await dialler.idle()
    assert (over.state, over.cause, over.machine) == (OutgoingState.ENDED, "NORMAL_CLEARING", False)
    assert over.answered_at is not None
    assert told == [("0212345678", NUMBER, NUMBER, "", False, {"name": "홍길동", "a'}": "{b},\r\n"})]
    call = dialler.live(placed)
    assert (call.app, call.outcome, call.disposition) == ("order", "reminded", Disposition.ANSWERED)
    assert [leg.leg_id for leg in call.legs] == [(await stored(store, placed.call_id)).leg_id]
    said = dialler.following.said(call.legs[0].leg_id)
    assert said == ["홍길동님, 내일 예약이 있습니다"]
    assert NUMBER not in str(logs)
    assert "홍길동" not in str(logs)


async def test_the_switch_is_told_no_variable(switch: SimulatedSwitch, dial: Dial) -> None:
    dialler = await dial(staying)
    placed = await dialler.place(variables={"order": "4711"})
    await dialler.until(placed, OutgoingState.ANSWERED)
    (leg,) = dialler.legs()
    assert not any("4711" in str(value) or name == "order" for name, value in leg.variables.items())
    await dialler.following.until(lambda: leg.variables.get("parley_app") == "order.here")


async def test_who_placed_it_is_in_the_audit(store: Database, dial: Dial) -> None:
    dialler = await dial(reminding)
    placed = await dialler.place()
    async with store.read() as connection:
        assert await latest_audit(connection, 5) == [
            AuditRow(
                at=NOON,
                actor="jin",
                via="token",
                action="call_placing",
                subject=NUMBER,
                address="192.0.2.7",
                detail={"app": "order", "call_id": placed.call_id},
            )
        ]


@pytest.mark.parametrize(
    ("cause", "state", "disposition"),
    [
        ("USER_BUSY", OutgoingState.BUSY, Disposition.BUSY),
        ("NO_ANSWER", OutgoingState.NO_ANSWER, Disposition.NO_ANSWER),
        ("CALL_REJECTED", OutgoingState.REFUSED, Disposition.FAILED),
        ("NO_ROUTE_DESTINATION", OutgoingState.FAILED, Disposition.FAILED),
    ],
)
async def test_nobody_answers(
    switch: SimulatedSwitch, dial: Dial, cause: str, state: OutgoingState, disposition: Disposition
) -> None:
    switch.exchange.destinations[NUMBER] = Destination(answers=False, cause=cause)
    dialler = await dial(reminding)
    placed = await dialler.place()
    over = await dialler.until_over(placed)
    assert (over.state, over.cause, over.answered_at) == (state, cause, None)
    assert dialler.live(placed).disposition is disposition
    assert dialler.script.calls == []
    assert len(dialler.placements) == 0


async def test_it_rings_no_longer_than_configured(switch: SimulatedSwitch, dial: Dial) -> None:
    switch.exchange.destinations[NUMBER] = FOR_EVER
    dialler = await dial(reminding, ring_time=2.0)
    over = await dialler.until_over(await dialler.place())
    assert over.state is OutgoingState.NO_ANSWER
    assert dialler.legs() == []


@pytest.mark.parametrize("machine", [True, False])
async def test_a_machine_answers(switch: SimulatedSwitch, dial: Dial, machine: bool) -> None:
    switch.exchange.destinations[NUMBER] = Destination(machine=machine)
    seen: list[bool] = []

    async def app(call: AppCall) -> None:
        seen.append(call.machine)

    dialler = await dial(app)
    over = await dialler.until_over(await dialler.place())
    assert (over.state, over.machine, seen) == (OutgoingState.ENDED, machine, [machine])


async def test_a_switch_that_is_away(switch: SimulatedSwitch, store: Database, dial: Dial) -> None:
    dialler = await dial(reminding, per_hour=1)
    await switch.refuse()
    switch.disconnect()
    await dialler.following.until(lambda: dialler.following.became(LinkState.AWAY))
    with pytest.raises(SwitchAwayError):
        await dialler.place(key="k")
    assert len(dialler.placements) == 0
    await switch.admit()
    await dialler.following.ready(2)
    # It counts for no limit, and its key may be used again.
    over = await dialler.until_over(await dialler.place(key="k"))
    assert over.state is OutgoingState.ENDED


async def test_another_switch_dials_where_the_first_is_away(
    switch: SimulatedSwitch, dial: Dial, unused_tcp_port: int
) -> None:
    away = Following(unused_tcp_port, dial=DIAL)
    dialler = await dial(reminding, more={"away": away.switch.control})
    placed = await dialler.place()
    assert placed.server == "main"
    assert (await dialler.until_over(placed)).state is OutgoingState.ENDED


async def test_the_link_is_lost_while_it_rings(switch: SimulatedSwitch, dial: Dial) -> None:
    switch.exchange.destinations[NUMBER] = Destination(rings=10.0)
    dialler = await dial(reminding)
    placed = await dialler.place()
    switch.disconnect()
    await dialler.following.ready(2)
    over = await dialler.until_over(placed)
    assert over.state is OutgoingState.ENDED
    assert len(dialler.script.calls) == 1


async def test_a_leg_that_came_and_went_between_two_looks(dial: Dial, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here somebody else follows the switch that dials, so that nothing is ever told of the leg."""
    elsewhere = SimulatedSwitch(speed=30.0)
    await elsewhere.start()
    elsewhere.exchange.destinations[NUMBER] = FOR_EVER
    follower = Following(elsewhere.port, dial=DIAL)
    follower.start()
    await follower.ready()
    control = follower.switch.control
    exists, seen = control.exists, asyncio.Event()

    async def noticed(leg_id: str) -> Outcome:
        outcome = await exists(leg_id)
        if outcome.ok:
            seen.set()
        return outcome

    monkeypatch.setattr(control, "exists", noticed)
    dialler = await dial(reminding, more={"elsewhere": control}, ring_time=3_000.0)
    placing = asyncio.create_task(dialler.place())
    await follower.until(lambda: elsewhere.leg_ids() and follower.state(elsewhere.leg_ids()[0]) == "ringing")
    elsewhere.disconnect()
    placed = await placing
    assert (placed.server, placed.state) == ("elsewhere", OutgoingState.DIALLING)
    await seen.wait()
    (leg,) = elsewhere.core.channels.values()
    leg.thread.hang_up("USER_BUSY", by_far_end=True)
    assert (await dialler.until_over(placed)).state is OutgoingState.UNKNOWN
    await follower.stop()
    await elsewhere.stop()


async def test_it_ends_while_the_switch_is_away(switch: SimulatedSwitch, dial: Dial) -> None:
    switch.exchange.destinations[NUMBER] = FOR_EVER
    dialler = await dial(reminding)
    placed = await dialler.place()
    (leg,) = dialler.legs()
    await switch.refuse()
    switch.disconnect()
    await dialler.following.until(lambda: dialler.following.became(LinkState.AWAY))
    leg.thread.hang_up("USER_BUSY", by_far_end=True)
    await switch.admit()
    over = await dialler.until_over(placed)
    assert over.state is OutgoingState.UNKNOWN


async def test_a_leg_that_vanishes_while_it_rings(switch: SimulatedSwitch, dial: Dial) -> None:
    switch.exchange.destinations[NUMBER] = FOR_EVER
    dialler = await dial(reminding)
    placed = await dialler.place()
    (leg,) = dialler.legs()
    leg.thread.hang_up("NORMAL_CLEARING")
    over = await dialler.until_over(placed)
    assert over.state is OutgoingState.CANCELLED


async def test_an_app_that_fails_on_a_placed_call(switch: SimulatedSwitch, dial: Dial) -> None:
    async def app(call: AppCall) -> None:
        raise LookupError

    dialler = await dial(app)
    placed = await dialler.place()
    await dialler.following.until(lambda: dialler.script.calls and dialler.live(placed).outcome == "failed")
    await dialler.following.until(lambda: dialler.live(placed).state == "bridged")
    (leg,) = dialler.legs()
    assert leg.bridged is not None
    assert leg.bridged.profile.destination == PERSON
    leg.thread.hang_up("NORMAL_CLEARING", by_far_end=True)
    assert (await dialler.until_over(placed)).state is OutgoingState.ENDED


async def stored(store: Database, call_id: str) -> OutgoingCallRow:
    async with store.read() as connection:
        row = await get_outgoing_call(connection, call_id)
    assert row is not None
    return row


async def test_killed_while_it_rings(switch: SimulatedSwitch, store: Database, dial: Dial) -> None:
    switch.exchange.destinations[NUMBER] = Destination(rings=15.0)
    dialler = await dial(staying)
    placed = await dialler.place(variables={"name": "홍길동"})
    await dialler.die()
    (leg,) = dialler.legs()
    later = await dial(reminding)
    over = await later.until_over(placed)
    assert over.state is OutgoingState.ENDED
    assert later.live(placed).legs[0].leg_id == leg.uuid
    assert [call.variables for call in later.script.calls] == [{"name": "홍길동"}]
    assert later.following.said(leg.uuid) == ["홍길동님, 내일 예약이 있습니다"]


async def test_answered_while_parley_was_away(switch: SimulatedSwitch, dial: Dial) -> None:
    switch.exchange.destinations[NUMBER] = Destination(rings=15.0)
    dialler = await dial(staying)
    placed = await dialler.place()
    await dialler.die()
    (leg,) = dialler.legs()
    async with asyncio.timeout(30):
        while leg.last_app[0] != "park":  # noqa: ASYNC110 - the switch alone knows
            await asyncio.sleep(0.002)
    later = await dial(reminding)
    assert (await later.until_over(placed)).state is OutgoingState.ENDED
    assert len(later.script.calls) == 1


async def test_killed_while_an_app_leads_it(switch: SimulatedSwitch, dial: Dial) -> None:
    dialler = await dial(staying)
    placed = await dialler.place()
    await dialler.until(placed, OutgoingState.ANSWERED)
    (leg,) = dialler.legs()
    await dialler.following.until(lambda: leg.listening)
    await dialler.die()
    later = await dial(reminding)
    await later.following.until(lambda: later.live(placed).state == "bridged")
    assert later.following.said(leg.uuid) == [ANNOUNCEMENT]
    assert later.script.calls == []
    assert later.live(placed).outcome == "lost"
    leg.thread.hang_up("NORMAL_CLEARING", by_far_end=True)
    assert (await later.until_over(placed)).state is OutgoingState.ENDED


async def test_killed_while_an_app_hands_it_on(switch: SimulatedSwitch, dial: Dial) -> None:
    """Its mark is gone by then, and it has not left yet."""
    waits, go_on = asyncio.Event(), asyncio.Event()

    async def handing_on(call: AppCall) -> None:
        waits.set()
        await go_on.wait()
        await call.transfer("2002")

    dialler = await dial(handing_on, config=apps(codes=[], recogniser=""))
    placed = await dialler.place()
    await dialler.until(placed, OutgoingState.ANSWERED)
    (leg,) = dialler.legs()
    await waits.wait()
    unmarked = asyncio.Event()
    switch.core.listen(lambda event: unmarked.set() if event.text("API-Command") == "uuid_setvar" else None)
    switch.hold_replies()
    go_on.set()
    await unmarked.wait()
    await dialler.die()
    switch.release_replies()
    assert "parley_app" not in leg.variables
    later = await dial(reminding)
    await later.following.until(lambda: later.live(placed).state == "bridged")
    assert later.following.said(leg.uuid) == [ANNOUNCEMENT]
    assert (later.live(placed).outcome, later.script.calls) == ("lost", [])


async def test_gone_when_parley_is_back(switch: SimulatedSwitch, store: Database, dial: Dial) -> None:
    switch.exchange.destinations[NUMBER] = FOR_EVER
    dialler = await dial(staying)
    placed = await dialler.place(variables={"name": "홍길동"})
    await dialler.die()
    dialler.legs()[0].thread.hang_up("USER_BUSY", by_far_end=True)
    later = await dial(reminding)
    over = await later.until_over(placed)
    assert over.state is OutgoingState.UNKNOWN
    await later.stop()
    row = await stored(store, placed.call_id)
    assert (row.state, row.variables) == ("unknown", {})


async def test_the_store_has_lost_a_call_that_is_answered(switch: SimulatedSwitch, dial: Dial) -> None:
    """Its mark says that it is ours, and nobody knows what for."""
    switch.exchange.destinations[NUMBER] = Destination(rings=15.0)
    dialler = await dial(staying)
    await dialler.place()
    await dialler.die()
    (leg,) = dialler.legs()
    later = await dial(reminding)
    later.placements.forget(leg.uuid)
    await later.following.until(lambda: later.following.state(leg.uuid) == "bridged")
    assert later.following.said(leg.uuid) == [ANNOUNCEMENT]


async def test_stopping_calls_off_what_rings(switch: SimulatedSwitch, store: Database, dial: Dial) -> None:
    switch.exchange.destinations[NUMBER] = FOR_EVER
    dialler = await dial(staying)
    placed = await dialler.place()
    (leg,) = dialler.legs()
    await dialler.outgoing.close()
    assert leg.hangup_cause == "ORIGINATOR_CANCEL"
    assert (await dialler.until_over(placed)).state is OutgoingState.CANCELLED
    with pytest.raises(SwitchAwayError):
        await dialler.place()
    await dialler.stop()
    assert (await stored(store, placed.call_id)).state == "cancelled"


async def test_stopping_leaves_nobody_in_silence_who_has_just_answered(
    switch: SimulatedSwitch, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What finds out who answered takes seconds, and the leg is parked after that."""
    found_out: list[Channel] = []
    monkeypatch.setattr(switch.exchange, "park", found_out.append)
    dialler = await dial(staying)
    placed = await dialler.place()
    await dialler.until(placed, OutgoingState.ANSWERED)
    await dialler.outgoing.close()
    await dialler.room.close(0.0)
    assert dialler.legs() == []
    over = await dialler.until_over(placed)
    assert (over.state, over.cause) == (OutgoingState.ENDED, "ORIGINATOR_CANCEL")
    assert dialler.script.calls == []


async def test_nothing_is_dialled_once_parley_stops(switch: SimulatedSwitch, dial: Dial) -> None:
    switch.exchange.destinations[NUMBER] = FOR_EVER
    dialler = await dial(staying)
    asked = [asyncio.create_task(dialler.place()) for _ in range(3)]
    await asyncio.sleep(0)
    await dialler.outgoing.close()
    done = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(one, SwitchAwayError) for one in done)
    assert switch.core.channels == {}


async def test_a_placed_call_has_its_place(switch: SimulatedSwitch, dial: Dial) -> None:
    switch.exchange.destinations[NUMBER] = Destination(rings=20.0)
    dialler = await dial(staying, config=apps(at_once=1))
    placed = await dialler.place()
    call = await dialler.ring()
    await dialler.following.until(lambda: dialler.following.state(call.leg_id) == "bridged")
    assert dialler.call(call).outcome == "refused"
    await dialler.until(placed, OutgoingState.ANSWERED)
    await dialler.following.until(lambda: dialler.script.calls)
    await call.hang_up()


async def test_nobody_is_spoken_to_or_sent_on_who_has_not_answered(
    switch: SimulatedSwitch, store: Database, dial: Dial
) -> None:
    switch.exchange.destinations[NUMBER] = FOR_EVER
    dialler = await dial(staying)
    placed = await dialler.place()
    hands = dialler.interventions(store)
    for does in (
        hands.say(placed.call_id, "여보세요", actor=JIN),
        hands.transfer(placed.call_id, PERSON, actor=JIN),
    ):
        with pytest.raises(NotPossibleError, match="answered"):
            await does
    (leg,) = dialler.legs()
    assert leg.profile.destination == NUMBER
    assert dialler.following.said(leg.uuid) == []
    await hands.hang_up(placed.call_id, actor=JIN)
    assert (await dialler.until_over(placed)).state is OutgoingState.CANCELLED
    assert dialler.legs() == []


async def test_a_placed_call_is_taken_over(switch: SimulatedSwitch, store: Database, dial: Dial) -> None:
    dialler = await dial(staying)
    placed = await dialler.place()
    await dialler.following.until(lambda: dialler.legs()[0].listening)
    await dialler.interventions(store).transfer(placed.call_id, PERSON, actor=JIN)
    await dialler.following.until(lambda: dialler.live(placed).state == "bridged")
    await dialler.idle()
    assert (dialler.live(placed).app, dialler.live(placed).app_ending) == ("order", "taken_over")
    assert (await dialler.told(placed)).state is OutgoingState.ANSWERED
    (leg,) = [leg for leg in dialler.legs() if "parley_app" not in leg.variables]
    leg.thread.hang_up("NORMAL_CLEARING", by_far_end=True)
    assert (await dialler.until_over(placed)).state is OutgoingState.ENDED
