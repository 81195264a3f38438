"""What is sent out: signed, tried again, kept from private networks, and held back where it keeps failing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest
from aiohttp import web

from daemon.config import DestinationConfig
from daemon.health import Condition
from daemon.inbox.circuit import FAILURES
from daemon.inbox.contract import Delivery, PermanentError, PostponedError, RetryLaterError
from daemon.inbox.destinations import Destination
from protocols.webhooks.standard import StandardVerifier
from tests.daemon.inbox.receiver import Receiver

SECRET = "whsec_c29tZSBleGFtcGxlIGJ5dGVz"
NEAR = ["127.0.0.0/8", "::1"]


Latest = Callable[[Delivery], Awaitable[Delivery]]


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.steady = 10.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as made:
        yield made


@pytest.fixture
async def to(clock: Clock) -> AsyncIterator[Callable[..., Destination]]:
    made: list[Destination] = []

    async def as_it_came(delivery: Delivery) -> Delivery:
        return delivery

    def destination(
        url: str, secret: str | None = SECRET, queue: float = 30.0, latest: Latest = as_it_came, **config: Any
    ) -> Destination:
        config.setdefault("private_networks", NEAR)
        settings = DestinationConfig(name="crm", url=url, **config)
        made.append(Destination(settings, secret, clock, latest=latest, steady=lambda: clock.steady, queue=queue))
        return made[-1]

    yield destination
    for one in made:
        await one.close()


def delivery(**changes: Any) -> Delivery:
    fields: dict[str, Any] = {
        "delivery_id": "01a1fd82-326d-7508-90b3-8a4d2f9b9ed7",
        "source": "to:crm",
        "event": "call.ended",
        "other_id": "call-1:call.ended",
        "key": "call-1",
        "received_at": 1.0,
        "attempt": 1,
        "idempotency_key": "k",
        "address": "",
        "redacted": False,
        "headers": {},
        "body": '{"text":"안녕하세요"}'.encode(),
    }
    return Delivery(**(fields | changes))


async def test_what_is_sent_is_signed_and_has_the_same_id_each_time(
    receiver: Receiver, to: Callable[..., Destination], clock: Clock
) -> None:
    crm = to(receiver.url())
    for _ in range(2):
        await crm.send(delivery())
        clock.now += 5.0
    first, second = receiver.got
    assert first.body == delivery().body
    assert first.headers["content-type"] == "application/json"
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == "call-1:call-ended"
    for got, sent_at in ((first, 1_700_000_000), (second, 1_700_000_005)):
        assert got.headers["webhook-timestamp"] == str(sent_at)
        StandardVerifier([SECRET]).verify(got.headers, got.body, now=float(sent_at))
    assert first.headers["user-agent"].startswith("Parley/")


async def test_what_is_sent_is_what_may_be_sent_by_then(receiver: Receiver, to: Callable[..., Destination]) -> None:
    async def redacted(delivery: Delivery) -> Delivery:
        return msgspec.structs.replace(delivery, body=b"{}", redacted=True)

    await to(receiver.url(), latest=redacted).send(delivery())
    [got] = receiver.got
    assert got.body == b"{}"
    StandardVerifier([SECRET]).verify(got.headers, got.body, now=1_700_000_000.0)


async def test_what_need_not_be_signed_is_not(receiver: Receiver, to: Callable[..., Destination]) -> None:
    await to(receiver.url(), secret=None).send(delivery(headers={"content-type": "text/plain"}))
    [got] = receiver.got
    assert "webhook-signature" not in got.headers
    assert got.headers["content-type"] == "text/plain"


@pytest.mark.parametrize(
    ("status", "headers", "error", "after"),
    [
        (500, {}, RetryLaterError, None),
        (503, {"Retry-After": "120"}, RetryLaterError, 120.0),
        (429, {"Retry-After": "Tue, 14 Nov 2023 22:14:20 GMT"}, RetryLaterError, 60.0),
        (429, {"Retry-After": "soon"}, RetryLaterError, None),
        (408, {}, RetryLaterError, None),
        (400, {}, PermanentError, None),
        (410, {}, PermanentError, None),
        (302, {"Location": "http://10.0.0.1/"}, PermanentError, None),
    ],
)
async def test_what_is_answered_says_whether_to_try_again(
    receiver: Receiver,
    to: Callable[..., Destination],
    status: int,
    headers: dict[str, str],
    error: type[Exception],
    after: float | None,
) -> None:
    receiver.answer = lambda _: web.Response(status=status, headers=headers)
    with pytest.raises(error, match=f"HTTP {status}") as raised:
        await to(receiver.url()).send(delivery())
    assert getattr(raised.value, "after", None) == after
    assert len(receiver.got) == 1


async def test_who_is_not_there_or_says_nothing_is_tried_again(
    receiver: Receiver, to: Callable[..., Destination], unused_tcp_port: int
) -> None:
    with pytest.raises(RetryLaterError, match="cannot be reached"):
        await to(f"http://127.0.0.1:{unused_tcp_port}/").send(delivery())
    silent = asyncio.Event()

    async def wait(_: object) -> web.Response:
        await silent.wait()
        return web.Response()

    receiver.answer = wait
    with pytest.raises(RetryLaterError, match=r"no answer within 0\.1 s"):
        await to(receiver.url(), deadline=0.1).send(delivery())
    silent.set()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433"])
async def test_private_addresses_are_not_reached_however_they_are_written(
    receiver: Receiver, to: Callable[..., Destination], host: str
) -> None:
    port = receiver.url().partition("//")[2].partition(":")[2].partition("/")[0]
    with pytest.raises(PermanentError, match=r"private address|address is none"):
        await to(f"http://{host}:{port}/hook", private_networks=[]).send(delivery())
    assert receiver.got == []


async def test_one_that_keeps_failing_is_left_alone_for_a_while(
    receiver: Receiver, to: Callable[..., Destination], clock: Clock
) -> None:
    receiver.answer = lambda _: web.Response(status=500)
    crm = to(receiver.url())
    for _ in range(FAILURES):
        assert crm.condition().condition is Condition.OK
        with pytest.raises(RetryLaterError):
            await crm.send(delivery())
    assert crm.condition().condition is Condition.DEGRADED
    with pytest.raises(PostponedError) as postponed:
        await crm.send(delivery())
    assert postponed.value.after == 30.0
    assert len(receiver.got) == FAILURES
    # One tries, the others wait; it fails, and all wait twice as long.
    clock.now -= 3600.0  # somebody sets the clock of the machine
    clock.steady += 30.0
    first, *others = await asyncio.gather(*(crm.send(delivery()) for _ in range(4)), return_exceptions=True)
    assert isinstance(first, RetryLaterError)
    assert all(isinstance(other, PostponedError) for other in others)
    clock.steady += 59.0
    with pytest.raises(PostponedError):
        await crm.send(delivery())
    clock.steady += 1.0
    receiver.answer = None
    await crm.send(delivery())
    await crm.send(delivery())
    assert crm.condition().condition is Condition.OK


async def test_one_that_says_no_is_there(receiver: Receiver, to: Callable[..., Destination]) -> None:
    receiver.answer = lambda _: web.Response(status=400)
    crm = to(receiver.url())
    for _ in range(FAILURES + 1):
        with pytest.raises(PermanentError):
            await crm.send(delivery())


async def test_one_that_is_slow_is_not_taken_for_one_that_fails(
    receiver: Receiver, to: Callable[..., Destination]
) -> None:
    go_on = asyncio.Event()

    async def wait(_: object) -> web.Response:
        await go_on.wait()
        return web.Response()

    receiver.answer = wait
    crm = to(receiver.url(), deadline=60.0, queue=0.05)
    assert crm.patience > 60.0 + 0.05
    async with asyncio.timeout(30):
        sending = [asyncio.create_task(crm.send(delivery())) for _ in range(32)]
        await receiver.some(32)
        for _ in range(FAILURES):
            with pytest.raises(PostponedError, match="busy") as postponed:
                await crm.send(delivery())
            assert postponed.value.after == 0.05
        assert crm.condition().condition is Condition.OK
        go_on.set()
        await asyncio.gather(*sending)
        await crm.send(delivery())
    assert len(receiver.got) == 33
