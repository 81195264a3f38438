"""Live calls that people take in hand."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from daemon.actor import Actor
from daemon.callapps.contract import AppCall, Heard, Listening
from daemon.callapps.intervention_errors import (
    NotAllowedError,
    NotLiveError,
    NotPossibleError,
    OutcomeUnknownError,
    SwitchAwayError,
    SwitchRefusedError,
    UnknownCallError,
    WrongInputError,
)
from daemon.calls.call import AppState
from daemon.calls.links import LinkState
from daemon.calls.numbers import mask_number
from daemon.demo.call import SimulatedCall
from daemon.demo.switch import SimulatedSwitch
from daemon.stores.audit import AuditRow, latest_audit
from daemon.stores.database import Database
from tests.daemon.callapps.conftest import Answer
from tests.daemon.callapps.phone import ANNOUNCEMENT, PERSON, Phone, apps, ended

HANA = Actor("hana", "session", "192.0.2.7")
OWN = "2002"
CALLER = "01012345678"
GREETING = "안녕하세요 무엇을 도와드릴까요"
LINE = "담당자가 곧 연결됩니다"


@pytest.fixture
def engine_name() -> str:
    """One is enough: what is stored is tested with the stores."""
    return "sqlite"


class Waiting:
    """An app that waits until the test lets it go on, and says how it ended."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.waits = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def __call__(self, call: AppCall) -> None:
        await call.answer()
        self.waits.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        await call.hang_up("안녕히 계세요")


def call_id(phone: Phone, call: SimulatedCall) -> str:
    return phone.call(call).call_id


async def led(phone: Phone) -> SimulatedCall:
    """A call whose app has answered it."""
    call = await phone.ring(caller=CALLER)
    await phone.following.until(lambda: call.leg.listening)
    return call


async def at(phone: Phone, call: SimulatedCall, extension: str) -> None:
    """Wait until the caller talks to that extension."""
    await phone.following.until(lambda: phone.following.state(call.leg_id) == "bridged")
    assert call.leg.bridged is not None
    assert call.leg.bridged.profile.destination == extension


async def audited(database: Database) -> list[AuditRow]:
    """Oldest first."""
    async with database.read() as connection:
        return (await latest_audit(connection, 50))[::-1]


async def actions(database: Database) -> list[str]:
    return [row.action for row in await audited(database)]


# Taking over


async def test_a_call_is_taken_over(answer: Answer, database: Database) -> None:
    app = Waiting()
    phone = await answer(app)
    call = await led(phone)
    with capture_logs() as logs:
        await phone.interventions(database).transfer(call_id(phone, call), OWN, actor=HANA)
        await at(phone, call, OWN)
        await phone.idle()
    assert app.cancelled.is_set()
    assert call.leg.listening == []
    assert "parley_app" not in call.leg.variables
    assert phone.said(call) == []
    record = phone.call(call)
    assert (record.app, record.app_ending, record.outcome) == ("order", "taken_over", "taken_over")
    assert record.app_state is AppState.HANDED_OVER
    begun, done = await audited(database)
    assert (begun.action, done.action) == ("call_transferring", "call_transferred")
    assert (done.actor, done.via, done.address) == ("hana", "session", "192.0.2.7")
    assert (done.subject, done.detail) == (record.call_id, {"app": "order", "extension": OWN})
    assert CALLER not in str(logs)
    assert record.call_id in str(logs)


async def test_what_is_said_is_broken_off(switch: SimulatedSwitch, answer: Answer, database: Database) -> None:
    switch.core.speed = 1.0

    async def app(call: AppCall) -> None:
        await call.answer()
        await call.say(GREETING * 20, interruptible=False)

    phone = await answer(app)
    call = await led(phone)
    await phone.following.until(lambda: phone.saying(call))
    switch.core.speed = 30.0
    await phone.interventions(database).transfer(call_id(phone, call), OWN, actor=HANA)
    await at(phone, call, OWN)
    (said,) = phone.said(call)
    assert "[" in said


async def test_nobody_waits_for_an_app_that_cleans_up(answer: Answer, database: Database) -> None:
    clean = asyncio.Event()

    async def app(call: AppCall) -> None:
        await call.answer()
        try:
            await asyncio.Event().wait()
        finally:
            await clean.wait()

    phone = await answer(app, apps(cleanup=20.0))
    call = await led(phone)
    await phone.interventions(database).transfer(call_id(phone, call), OWN, actor=HANA)
    await at(phone, call, OWN)
    assert phone.room.live, "it cleans up"
    clean.set()
    await phone.idle()


async def test_a_caller_who_gets_the_fallback_is_taken_over_too(
    switch: SimulatedSwitch, answer: Answer, database: Database
) -> None:
    async def app(call: AppCall) -> None:
        await call.answer()
        raise LookupError

    switch.core.speed = 0.1
    phone = await answer(app)
    call = await led(phone)
    await phone.until_saying(call, ANNOUNCEMENT)
    switch.core.speed = 30.0
    await phone.interventions(database).transfer(call_id(phone, call), OWN, actor=HANA)
    await at(phone, call, OWN)
    await phone.idle()
    assert phone.call(call).app_ending == "failed"


async def test_of_two_people_who_send_a_caller_on_at_once_one_is_told(answer: Answer, database: Database) -> None:
    phone = await answer(Waiting())
    call = await led(phone)
    hands = phone.interventions(database)
    first, second = await asyncio.gather(
        *(hands.transfer(call_id(phone, call), extension, actor=HANA) for extension in (OWN, "2003")),
        return_exceptions=True,
    )
    assert not isinstance(first, BaseException)
    assert isinstance(second, NotPossibleError)
    await at(phone, call, OWN)
    assert (await actions(database)).count("call_transferred") == 1
    # Afterwards anybody may send them on again.
    await hands.transfer(call_id(phone, call), "2003", actor=HANA)
    await phone.following.until(lambda: call.leg.bridged and call.leg.bridged.profile.destination == "2003")
    await phone.idle()


async def test_an_app_goes_on_where_the_switch_is_away(
    switch: SimulatedSwitch, answer: Answer, database: Database
) -> None:
    app = Waiting()
    phone = await answer(app)
    call = await led(phone)
    await app.waits.wait()
    await switch.refuse()
    switch.disconnect()
    await phone.following.until(lambda: phone.following.became(LinkState.AWAY))
    hands = phone.interventions(database)
    for does in (
        hands.transfer(call_id(phone, call), OWN, actor=HANA),
        hands.hang_up(call_id(phone, call), actor=HANA),
        hands.say(call_id(phone, call), LINE, actor=HANA),
    ):
        with pytest.raises(SwitchAwayError):
            await does
    assert not app.cancelled.is_set()
    assert await audited(database) == []
    await switch.admit()
    app.go_on.set()
    assert await ended(call) == "NORMAL_CLEARING"


async def test_a_caller_who_cannot_be_sent_on_gets_the_fallback(
    switch: SimulatedSwitch, answer: Answer, database: Database
) -> None:
    phone = await answer(Waiting())
    call = await led(phone)
    switch.refuse_commands("uuid_transfer")
    switch.core.speed = 0.1  # the announcement lasts until the switch is willing again
    with pytest.raises(SwitchRefusedError, match="Operation failed"):
        await phone.interventions(database).transfer(call_id(phone, call), OWN, actor=HANA)
    switch.refuse_commands()
    switch.core.speed = 30.0
    await phone.until_saying(call, ANNOUNCEMENT)
    call.leg.thread.stop_current()
    assert phone.call(call).app_state is AppState.FALLEN_BACK
    await at(phone, call, PERSON)
    assert phone.call(call).app_ending == "taken_over"
    assert await actions(database) == ["call_transferring", "call_transferring_failed"]
    await phone.idle()


async def test_nobody_knows_whether_it_happened(switch: SimulatedSwitch, answer: Answer, database: Database) -> None:
    phone = await answer(Waiting())
    call = await led(phone)
    switch.leave_unanswered("uuid_transfer")
    taking = asyncio.create_task(phone.interventions(database).transfer(call_id(phone, call), OWN, actor=HANA))
    await at(phone, call, OWN)
    switch.leave_unanswered()
    switch.disconnect()
    with pytest.raises(OutcomeUnknownError):
        await taking
    await phone.idle()
    await at(phone, call, OWN)
    assert (await actions(database))[-1] == "call_transferring_outcome_unknown"


async def test_parley_stops_before_the_switch_answers(
    switch: SimulatedSwitch, answer: Answer, database: Database
) -> None:
    phone = await answer(Waiting())
    call = await led(phone)
    switch.leave_unanswered("uuid_transfer")
    taking = asyncio.create_task(phone.interventions(database).transfer(call_id(phone, call), OWN, actor=HANA))
    await at(phone, call, OWN)
    for task in list(phone.room._tasks):
        task.cancel()
    with pytest.raises(OutcomeUnknownError):
        await taking
    assert (await actions(database))[-1] == "call_transferring_outcome_unknown"


@pytest.mark.parametrize("extension", ["", "10 01", "1001\n", "${evil}", "1001 XML", "1" * 65, "-both", "-"])
async def test_where_nobody_can_be_sent(answer: Answer, database: Database, extension: str) -> None:
    phone = await answer(Waiting())
    call = await led(phone)
    with pytest.raises(WrongInputError):
        await phone.interventions(database).transfer(call_id(phone, call), extension, actor=HANA)
    assert await audited(database) == []
    await call.hang_up()


@pytest.mark.parametrize(
    ("extension", "own", "is_allowed"),
    [
        (OWN, OWN, True),
        ("2003", "", True),
        ("2003", OWN, True),
        ("2009", OWN, False),
        ("2009", "2009", False),
        ("3003", OWN, False),
        ("3003", "", False),
        ("3003", "3003", True),
        ("20030", OWN, False),
        ("0082200300", OWN, False),
    ],
)
async def test_callers_are_sent_where_it_is_allowed(
    answer: Answer, database: Database, extension: str, own: str, is_allowed: bool
) -> None:
    phone = await answer(Waiting())
    call = await led(phone)
    hands = phone.interventions(database, allowed=["2[0-9]{3}"], refused=["2009"])
    with capture_logs() as logs:
        taking = hands.transfer(call_id(phone, call), extension, own=own, actor=HANA)
        if is_allowed:
            await taking
            await at(phone, call, extension)
        else:
            with pytest.raises(NotAllowedError):
                await taking
            assert await audited(database) == []
            assert phone.call(call).app_ending == ""
            (warning,) = [log for log in logs if log["event"] == "transfer_not_allowed"]
            assert (warning["by"], warning["extension"]) == ("hana", mask_number(extension))
    await call.hang_up()


async def test_without_a_word_of_it_callers_come_to_oneself_alone(answer: Answer, database: Database) -> None:
    phone = await answer(Waiting())
    call = await led(phone)
    hands = phone.interventions(database, allowed=[])
    for own in ("", "2003"):
        with pytest.raises(NotAllowedError):
            await hands.transfer(call_id(phone, call), OWN, own=own, actor=HANA)
    await hands.transfer(call_id(phone, call), OWN, own=OWN, actor=HANA)
    await at(phone, call, OWN)


async def test_who_asked_goes_away_meanwhile(switch: SimulatedSwitch, answer: Answer, database: Database) -> None:
    phone = await answer(Waiting())
    call = await led(phone)
    switch.leave_unanswered("uuid_transfer")
    hands = phone.interventions(database)
    taking = asyncio.create_task(hands.transfer(call_id(phone, call), OWN, actor=HANA))
    await at(phone, call, OWN)
    taking.cancel()
    await asyncio.wait({taking})
    await hands.close()
    assert await actions(database) == ["call_transferring", "call_transferring_outcome_unknown"]


# Speaking


async def test_a_line_is_said_after_what_the_app_says(answer: Answer, database: Database) -> None:
    heard: list[Heard] = []

    async def app(call: AppCall) -> None:
        await call.answer()
        heard.append(await call.listen(GREETING, interruptible=False))
        await call.hang_up()

    phone = await answer(app, apps(no_input=1.0))
    call = await led(phone)
    await phone.until_saying(call, GREETING)
    with capture_logs() as logs:
        assert await phone.interventions(database).say(call_id(phone, call), f" {LINE}\n", actor=HANA)
    assert phone.said(call) == [GREETING, LINE]
    await call.say("네 기다릴게요")
    await ended(call)
    assert heard[0].text == "네 기다릴게요"
    assert [phone.said(call).count(text) for text in (GREETING, LINE)] == [1, 1]
    begun, done = await audited(database)
    assert (begun.action, done.action) == ("call_saying", "call_said")
    assert done.detail == {"app": "order", "characters": str(len(LINE))}
    assert LINE not in str(logs)


async def test_what_the_caller_says_into_a_line_is_heard(
    switch: SimulatedSwitch, answer: Answer, database: Database
) -> None:
    heard: list[Heard] = []

    async def app(call: AppCall) -> None:
        await call.answer()
        heard.append(await call.listen())

    phone = await answer(app, apps(no_input=30.0))
    call = await led(phone)
    switch.core.speed = 1.0
    saying = asyncio.create_task(phone.interventions(database).say(call_id(phone, call), LINE, actor=HANA))
    await phone.until_saying(call, LINE)
    await call.say("장미 한 다발이요")
    await phone.following.until(lambda: phone.call(call).app_ending or heard)
    switch.core.speed = 30.0
    assert heard[0].text == "장미 한 다발이요"
    await asyncio.wait([saying])


@pytest.mark.parametrize("how", ["listens", "collects"])
async def test_who_is_talked_to_need_not_answer_yet(
    switch: SimulatedSwitch, answer: Answer, database: Database, how: str
) -> None:
    silent = asyncio.Event()

    async def app(call: AppCall) -> None:
        await call.answer()
        if how == "listens":
            assert (await call.listen()).ended is Listening.NO_INPUT
        else:
            assert (await call.collect()).digits == ""
        silent.set()

    phone = await answer(app, apps(no_input=0.3))
    call = await led(phone)
    switch.core.speed = 2.0  # the line takes longer than the app would wait
    await phone.interventions(database).say(call_id(phone, call), LINE, actor=HANA)
    assert not silent.is_set()
    await phone.following.until(silent.is_set)
    assert phone.said(call) == [LINE]


async def test_a_line_that_takes_long_is_answered_before_it_is_said(
    switch: SimulatedSwitch, answer: Answer, database: Database
) -> None:
    app = Waiting()
    phone = await answer(app)
    call = await led(phone)
    switch.core.speed = 0.01
    hands = phone.interventions(database, patience=0.01)
    for _ in range(5):
        assert not await hands.say(call_id(phone, call), LINE, actor=HANA)
    with pytest.raises(NotPossibleError, match="5 lines"):
        await hands.say(call_id(phone, call), LINE, actor=HANA)
    assert phone.saying(call) == [LINE]
    await call.hang_up()
    await hands.close()


async def test_lines_that_are_asked_for_at_once(switch: SimulatedSwitch, answer: Answer, database: Database) -> None:
    phone = await answer(Waiting())
    call = await led(phone)
    switch.core.speed = 0.01
    hands = phone.interventions(database, patience=0.01)
    lines = (hands.say(call_id(phone, call), LINE, actor=HANA) for _ in range(8))
    said = await asyncio.gather(*lines, return_exceptions=True)
    assert [one for one in said if one is False] == [False] * 5
    assert sum(isinstance(one, NotPossibleError) for one in said) == 3
    assert await actions(database) == ["call_saying"] * 5
    await call.hang_up()
    await hands.close()


async def test_parley_stops_while_a_line_is_said(switch: SimulatedSwitch, answer: Answer, database: Database) -> None:
    phone = await answer(Waiting())
    call = await led(phone)
    switch.core.speed = 0.01
    hands = phone.interventions(database, patience=0.01)
    assert not await hands.say(call_id(phone, call), LINE, actor=HANA)
    await hands.close()
    assert await actions(database) == ["call_saying", "call_saying_outcome_unknown"]
    await call.hang_up()


async def test_a_line_on_a_call_whose_app_ends_meanwhile(
    switch: SimulatedSwitch, answer: Answer, database: Database
) -> None:
    app = Waiting()
    phone = await answer(app)
    call = await led(phone)
    switch.core.speed = 0.1
    hands = phone.interventions(database)
    saying = asyncio.create_task(hands.say(call_id(phone, call), LINE, actor=HANA))
    await phone.until_saying(call, LINE)
    switch.core.speed = 30.0
    await hands.transfer(call_id(phone, call), OWN, actor=HANA)
    with pytest.raises(NotPossibleError, match="no app leads"):
        await saying
    await at(phone, call, OWN)
    assert (await actions(database)).count("call_saying_failed") == 1


@pytest.mark.parametrize("line", ["", " \n\t", "가" * 301])
async def test_what_is_no_line(answer: Answer, database: Database, line: str) -> None:
    phone = await answer(Waiting())
    call = await led(phone)
    with pytest.raises(WrongInputError):
        await phone.interventions(database).say(call_id(phone, call), line, actor=HANA)
    await call.hang_up()


@pytest.mark.parametrize("line", ["${hangup}", "a|b|c", "첫 줄\r\n\r\nhangup", "\x00x"])
async def test_whatever_is_said_is_no_more_than_words(answer: Answer, database: Database, line: str) -> None:
    app = Waiting()
    phone = await answer(app)
    call = await led(phone)
    assert await phone.interventions(database).say(call_id(phone, call), line, actor=HANA)
    (said,) = phone.said(call)
    assert "\n" not in said
    assert "\x00" not in said
    assert call.leg.last_app[0] == "speak"
    assert call.leg.last_app[1].startswith("tts|ko|")
    assert "${" not in call.leg.last_app[1]
    app.go_on.set()
    await ended(call)


# Hanging up


async def test_a_call_is_hung_up_and_hung_up_again(answer: Answer, database: Database) -> None:
    app = Waiting()
    phone = await answer(app)
    call = await led(phone)
    hands = phone.interventions(database)
    await asyncio.gather(
        hands.hang_up(call_id(phone, call), actor=HANA), hands.hang_up(call_id(phone, call), actor=HANA)
    )
    assert await ended(call) == "NORMAL_CLEARING"
    await phone.idle()
    assert app.cancelled.is_set()
    assert call.leg.listening == []
    assert (phone.call(call).app_ending, phone.call(call).app_state) == ("cut_off", AppState.ENDED)
    before = await actions(database)
    again = await hands.hang_up(call_id(phone, call), actor=HANA)
    assert again is phone.call(call)
    assert await actions(database) == before
    for does in (
        hands.transfer(call_id(phone, call), OWN, actor=HANA),
        hands.say(call_id(phone, call), LINE, actor=HANA),
    ):
        with pytest.raises(NotLiveError):
            await does


async def test_a_hangup_that_the_switch_refuses_is_tried_until_it_does_not(
    switch: SimulatedSwitch, answer: Answer, database: Database
) -> None:
    phone = await answer(Waiting())
    call = await led(phone)
    switch.refuse_commands("uuid_kill")
    with pytest.raises(SwitchRefusedError):
        await phone.interventions(database).hang_up(call_id(phone, call), actor=HANA)
    switch.refuse_commands()
    assert await ended(call) == "NORMAL_CLEARING"
    assert phone.said(call) == []


# Without an app


async def test_a_call_of_nobody_here(answer: Answer, database: Database) -> None:
    phone = await answer(Waiting())
    call = await phone.ring(code="their-app")
    await phone.following.until(lambda: phone.following.state(call.leg_id) == "parked")
    hands = phone.interventions(database)
    assert await hands.say(call_id(phone, call), LINE, actor=HANA)
    assert phone.said(call) == [LINE]
    await hands.transfer(call_id(phone, call), OWN, actor=HANA)
    await at(phone, call, OWN)
    with pytest.raises(NotPossibleError, match="two people"):
        await hands.say(call_id(phone, call), LINE, actor=HANA)
    await hands.transfer(call_id(phone, call), "2003", actor=HANA)
    await phone.following.until(lambda: call.leg.bridged and call.leg.bridged.profile.destination == "2003")
    await phone.following.until(lambda: phone.following.state(call.leg_id) == "bridged")
    await hands.hang_up(call_id(phone, call), actor=HANA)
    await phone.following.until(lambda: phone.following.state(call.leg_id) == "ended")
    assert phone.switch.leg_ids() == []
    record = phone.call(call)
    assert (record.app, record.app_state, record.app_ending) == ("", None, "")


async def test_a_call_that_nobody_knows(answer: Answer, database: Database) -> None:
    hands = (await answer(Waiting())).interventions(database)
    for does in (
        hands.transfer("nobody", OWN, actor=HANA),
        hands.say("nobody", LINE, actor=HANA),
        hands.hang_up("nobody", actor=HANA),
    ):
        with pytest.raises(UnknownCallError):
            await does
