"""A caller whom an app has put on hold can be heard by whoever has them next."""

from __future__ import annotations

import asyncio

import pytest

from daemon.actor import Actor
from daemon.callapps.contract import AppCall
from daemon.stores.database import Database
from tests.daemon.callapps.conftest import Answer
from tests.daemon.callapps.phone import ANNOUNCEMENT, PERSON


@pytest.mark.parametrize("how", ["transfer", "put_through", "failure", "takeover"])
async def test_a_held_caller_goes_to_a_person(answer: Answer, store: Database, how: str) -> None:
    held = asyncio.Event()

    async def app(call: AppCall) -> None:
        await call.answer()
        await call.hold()
        match how:
            case "transfer":
                await call.transfer(PERSON)
            case "put_through":
                await call.put_through(PERSON)
            case "failure":
                raise LookupError
        held.set()
        await asyncio.Event().wait()

    phone = await answer(app)
    call = await phone.ring()
    if how == "takeover":
        await held.wait()
        actor = Actor("hana", "session", "192.0.2.7")
        await phone.interventions(store).transfer(phone.call(call).call_id, PERSON, actor=actor)
    await phone.following.until(lambda: call.leg.bridged is not None and not phone.call(call).legs[0].held)
    assert call.leg.bridged is not None
    assert call.leg.bridged.profile.destination == PERSON
    assert call.leg.call_state == "ACTIVE"
    assert phone.said(call) == ([ANNOUNCEMENT] if how == "failure" else [])
    await call.hang_up()
