"""The hub: order, bounds, and listeners that do not harm each other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from daemon.hub import Hub, Overflow, SubscriptionOverflowError


async def read_all(subscription: object) -> list[object]:
    return [message async for message in subscription]  # type: ignore[attr-defined]


async def test_every_listener_sees_its_types_in_order() -> None:
    hub = Hub()
    seen: list[object] = []
    hub.tap((int, str), seen.append)
    numbers = hub.subscribe((int,), bound=10)
    for message in (1, "a", 2, 3.0, "b"):
        hub.publish(message)
    numbers.close()
    assert seen == [1, "a", 2, "b"]
    assert await read_all(numbers) == [1, 2]


def test_a_tap_that_raises_keeps_nothing_from_the_others() -> None:
    hub = Hub()
    seen: list[object] = []

    def broken(message: object) -> None:
        raise RuntimeError("broken listener")

    hub.tap((int,), broken)
    hub.tap((int,), seen.append)
    hub.publish(1)
    assert seen == [1]


def test_an_ended_tap_hears_nothing_more() -> None:
    hub = Hub()
    seen: list[object] = []
    end = hub.tap((int,), seen.append)
    hub.publish(1)
    end()
    hub.publish(2)
    assert seen == [1]


def test_a_listener_may_leave_while_a_message_is_delivered() -> None:
    hub = Hub()
    seen: list[str] = []
    ends: list[Callable[[], None]] = []

    def once(message: object) -> None:
        seen.append("once")
        ends[0]()

    ends.append(hub.tap((int,), once))
    hub.tap((int,), lambda message: seen.append("always"))
    hub.publish(1)
    hub.publish(2)
    assert seen == ["once", "always", "always"]


async def test_a_full_queue_drops_the_oldest_and_counts_it() -> None:
    hub = Hub()
    subscription = hub.subscribe((int,), bound=2, overflow=Overflow.DROP_OLDEST)
    for number in range(5):
        hub.publish(number)
    assert subscription.dropped == 3
    subscription.close()
    assert await read_all(subscription) == [3, 4]


async def test_a_full_queue_that_may_lose_nothing_ends_after_what_it_holds() -> None:
    hub = Hub()
    subscription = hub.subscribe((int,), bound=2)
    for number in range(5):
        hub.publish(number)
    assert [await anext(subscription), await anext(subscription)] == [0, 1]
    with pytest.raises(SubscriptionOverflowError):
        await anext(subscription)


async def test_a_waiting_reader_wakes_for_a_message_and_for_the_end() -> None:
    hub = Hub()
    subscription = hub.subscribe((int,), bound=2)
    reader = asyncio.create_task(read_all(subscription))
    await asyncio.sleep(0)
    hub.publish(7)
    await asyncio.sleep(0)
    subscription.close()
    assert await reader == [7]
