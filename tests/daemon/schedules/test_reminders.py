"""Reminders are said once each, for as long as it takes."""

from __future__ import annotations

import asyncio

import pytest

from daemon.chatbot.contract import Card, Choice, Message, MessageRefusedError, MessengerAwayError
from daemon.inbox.contract import Delivery, PermanentError, PostponedError, RetryLaterError
from daemon.schedules.reminders import PostedReminders
from daemon.stores.database import Database
from daemon.stores.delivery_work import DeliveryState
from tests.daemon.schedules.telling import RecordingMessenger, firing_at, telling

MESSAGE = Message("**안녕하세요**", Card(choices=(Choice("예", "yes"),), marks={"a": "b"}))
FIRING = firing_at(2026, 12, 1, 9)


async def test_a_reminder_is_said_as_it_was_given(database: Database) -> None:
    async with telling(database) as people:
        await people.reminders.remind(FIRING, "mina", MESSAGE, room_id="R-mina", person_email="mina@example.com")
        await people.reminders.remind(FIRING, "jun", Message("그냥"), person_email="jun@example.com")
        first, second = await people.settled()
        assert {one.to: one.message for one in people.messenger.posted} == {
            "R-mina": MESSAGE,
            "jun@example.com": Message("그냥"),
        }
    assert [first.row.other_id, second.row.other_id] == [
        "example:2026-12-01T00:00:00Z:mina",
        "example:2026-12-01T00:00:00Z:jun",
    ]
    assert (first.row.source, first.row.event) == ("parley:reminders", "example")


async def test_of_one_firing_a_recipient_is_told_once(database: Database) -> None:
    async with telling(database) as people:
        given = [
            people.reminders.remind(FIRING, f"person-{number}", Message(str(number)), room_id=f"R-{number}")
            for number in range(20)
            for _ in range(3)
        ]
        await asyncio.gather(*given)
        await people.settled()
        await people.reminders.remind(FIRING, "person-7", Message("again"), room_id="R-7")
        await people.reminders.remind(firing_at(2027, 1, 1, 9), "person-7", Message("later"), room_id="R-7")
        await people.settled()
        assert sorted(one.message.text for one in people.messenger.posted) == sorted([*map(str, range(20)), "later"])


async def test_a_messenger_that_is_away_is_asked_until_it_is_back(database: Database) -> None:
    away = [MessengerAwayError("503"), MessengerAwayError("no answer", is_posted_unknown=True)]
    async with telling(database, RecordingMessenger(away)) as people:
        await people.reminders.remind(FIRING, "mina", MESSAGE, room_id="R-mina")
        [delivery] = await people.settled()
        assert (delivery.row.state, delivery.row.attempts) == (DeliveryState.DONE, 3)
        assert len(people.messenger.posted) == 1


async def test_whoever_is_told_to_come_later_comes_until_they_are_let_in(database: Database) -> None:
    crowded = [MessengerAwayError("too many", after=0.0) for _ in range(20)]
    async with telling(database, RecordingMessenger(crowded), retries=0) as people:
        for number in range(20):
            await people.reminders.remind(FIRING, f"person-{number}", MESSAGE, room_id=f"R-{number}")
        told = await people.settled()
        assert {one.row.state for one in told} == {DeliveryState.DONE}
        assert len({one.to for one in people.messenger.posted}) == len(people.messenger.posted) == 20


async def test_what_the_messenger_refuses_is_dead_with_its_words(database: Database) -> None:
    async with telling(database, RecordingMessenger([MessageRefusedError("no such room")])) as people:
        await people.reminders.remind(FIRING, "mina", MESSAGE, room_id="R-gone")
        [delivery] = await people.settled()
        assert (delivery.row.state, delivery.row.attempts) == (DeliveryState.DEAD, 1)
        assert "no such room" in delivery.row.error


async def test_whose_room_is_gone_is_told_in_the_one_they_have_now(database: Database) -> None:
    gone = [MessageRefusedError("no such room"), MessengerAwayError("503"), MessageRefusedError("no such room")]
    async with telling(database, RecordingMessenger(gone)) as people:
        await people.reminders.remind(FIRING, "mina", MESSAGE, room_id="R-gone", person_email="mina@example.com")
        [delivery] = await people.settled()
        assert delivery.row.state is DeliveryState.DONE
        assert [one.to for one in people.messenger.posted] == ["mina@example.com"]


async def test_it_is_not_said_when_its_time_is_over(database: Database) -> None:
    async with telling(database, now=1_000.0) as people:
        await people.reminders.remind(FIRING, "a", Message("past"), room_id="R", until=999.0)
        await people.reminders.remind(FIRING, "b", Message("still"), room_id="R", until=1_000.0)
        past, still = await people.settled()
        assert (past.row.state, still.row.state) == (DeliveryState.DEAD, DeliveryState.DONE)
        assert "too late" in past.row.error
        assert [one.message.text for one in people.messenger.posted] == ["still"]


async def test_a_reminder_for_nobody_is_refused(database: Database) -> None:
    async with telling(database) as people:
        with pytest.raises(ValueError, match="for a room or for a person"):
            await people.reminders.remind(FIRING, "nobody", MESSAGE)


async def test_what_the_messenger_says_is_what_the_inbox_is_told() -> None:
    async def handle(error: Exception) -> None:
        messenger = RecordingMessenger([error])
        reminders = PostedReminders(None, messenger, clock=lambda: 0.0)  # type: ignore[arg-type]
        await reminders.handle(delivery(b'{"message":{"text":"a"},"room_id":"R"}'))

    with pytest.raises(PostponedError, match="too many") as later:
        await handle(MessengerAwayError("too many", after=7.0))
    assert later.value.after == 7.0
    with pytest.raises(RetryLaterError, match="no answer"):
        await handle(MessengerAwayError("no answer"))
    with pytest.raises(RetryLaterError, match="half of it"):
        await handle(MessengerAwayError("half of it", after=7.0, is_posted_unknown=True))
    with pytest.raises(PermanentError, match="no right"):
        await handle(MessageRefusedError("no right"))
    with pytest.raises(PermanentError, match="no reminder"):
        await PostedReminders(None, RecordingMessenger(), clock=lambda: 0.0).handle(delivery(b"{}"))  # type: ignore[arg-type]


def delivery(body: bytes) -> Delivery:
    return Delivery(
        delivery_id="d",
        source="parley:reminders",
        event="example",
        other_id="o",
        key="",
        received_at=0.0,
        attempt=1,
        idempotency_key="d/remind",
        address="",
        redacted=False,
        headers={},
        body=body,
    )
