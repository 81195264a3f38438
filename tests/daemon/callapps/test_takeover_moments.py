"""A call is taken over at any moment of its app: the caller gets there or is gone, and nothing is left on the leg."""

from __future__ import annotations

import asyncio

import uvloop
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daemon.actor import Actor
from daemon.callapps.intervention_errors import NotLiveError
from daemon.demo.exchange import Destination
from daemon.demo.switch import SimulatedSwitch
from daemon.stores.database import Database
from daemon.switch.legs import ORIGIN
from tests.daemon.callapps.moments import do_after
from tests.daemon.callapps.phone import Phone, apps
from tests.daemon.callapps.test_hangup_moments import LAST, Telephone
from tests.services.databases import SqliteDatabases

OWN = "2002"


async def taken_over_after(events: int, turns: int, database_url: str) -> None:
    """It is asked for so many turns of the loop after the switch has fired its so-manieth event."""
    database = Database.of(database_url)
    switch = SimulatedSwitch(speed=500.0)
    await switch.start()
    switch.exchange.dialplan[LAST] = [("hangup", "NORMAL_CLEARING")]
    switch.exchange.destinations[OWN] = Destination(rings=0.0)
    telephone = Telephone()
    phone = Phone(switch, telephone.lead, apps(no_input=0.02, end_silence=0.01))
    await phone.start()
    hands = phone.interventions(database)
    moment = asyncio.Event()
    try:
        call = await switch.call(code="order-app")
        do_after(switch, events, turns, moment.set)
        await call.park()
        ended = asyncio.create_task(call.ended())
        asked = asyncio.create_task(moment.wait())
        async with asyncio.timeout(30):
            await asyncio.wait({ended, asked}, return_when=asyncio.FIRST_COMPLETED)
            await phone.following.until(lambda: phone.following.registry.call_of(ORIGIN, "main", call.leg_id))
            try:
                await hands.transfer(phone.call(call).call_id, OWN, actor=Actor("hana", "session"))
            except NotLiveError:
                await phone.following.until(lambda: phone.following.state(call.leg_id) == "ended")
            else:
                await phone.following.until(lambda: phone.following.state(call.leg_id) in ("bridged", "ended"))
            await phone.idle()
        if call.alive:
            assert call.leg.bridged is not None
            assert call.leg.bridged.profile.destination == OWN
        assert telephone.cleaned == telephone.begun <= 1
        assert telephone.closed <= 1
        assert phone.saying(call) == []
        assert call.leg.listening == []
        assert "parley_app" not in call.leg.variables
        ended.cancel()
        asked.cancel()
    finally:
        await phone.stop()
        await switch.stop()
        await database.close()


def test_at_any_moment(sqlite_databases: SqliteDatabases) -> None:
    @settings(max_examples=40)
    @given(st.integers(1, 45), st.integers(1, 30))
    @example(1, 1)
    @example(400, 1)
    def at(events: int, turns: int) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(taken_over_after(events, turns, sqlite_databases.make()))

    at()
