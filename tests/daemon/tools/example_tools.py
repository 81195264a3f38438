"""Tools and lookups as a customer might write them, and as nobody should."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from daemon.actor import Actor
from daemon.pbx.contract import ClickToCall, Diversions
from daemon.stores.database import Database
from daemon.tools.contract import InboundAnswer, Reach, ToolError, acts
from protocols.dcmiws.diversions import DiversionKind


class Address(msgspec.Struct):
    """Where it goes."""

    street: str
    floor: Annotated[int, Meta(ge=-5, le=100)] | None = None


async def order_status(
    order: Annotated[str, Meta(description="The order's number.", pattern=r"^\d{1,8}$")],
    days: Annotated[int, Meta(ge=1, le=30, description="How far to look back.")] = 7,
    colour: Literal["red", "blue"] | None = None,
    address: Address | None = None,
    kind: DiversionKind = DiversionKind.BUSY,
    tags: list[str] = [],  # noqa: B006 - each call gets its own
    express: bool = False,
) -> dict[str, Any]:
    """How far an order is.

    주문이 어디까지 왔는지 알려 줍니다.
    """
    return {"order": order, "days": days, "tags": tags, "express": express, "state": "배송 중"}


async def choose(colours: list[str] | None = None) -> dict[str, Any]:
    """Some colours, or any."""
    return {"colours": colours}


async def take_token(order: str, token: str = "") -> dict[str, Any]:
    """Tells what it was given."""
    return {"order": order, "token": token}


class Waiting:
    """Calls of :func:`wait` that are under way, and when they may end."""

    def __init__(self) -> None:
        self.begun = 0
        self.ended = 0
        self.may_end = asyncio.Event()


async def wait(*, waiting: Waiting) -> dict[str, Any]:
    """Ends when it may."""
    waiting.begun += 1
    try:
        await waiting.may_end.wait()
    finally:
        waiting.ended += 1
    return {"done": True}


async def cling(*, waiting: Waiting) -> dict[str, Any]:
    """Will not be cancelled."""
    waiting.begun += 1
    while not waiting.may_end.is_set():
        try:
            await waiting.may_end.wait()
        except asyncio.CancelledError:
            continue
    waiting.ended += 1
    return {}


async def fail(secret: str = "") -> dict[str, Any]:
    """Goes wrong and tells too much."""
    raise ValueError(f"01012345678 said {secret}")


async def leave() -> dict[str, Any]:
    """Tries to end Parley."""
    sys.exit(3)


async def cancel() -> dict[str, Any]:
    """Cancels nobody but itself."""
    raise asyncio.CancelledError


async def refuse() -> dict[str, Any]:
    """Says why not."""
    raise ToolError("오늘은 쉬는 날입니다")


async def tell_a_list() -> list[str]:
    """No JSON object."""
    return ["a"]


async def tell_an_object_of_python() -> dict[str, Any]:
    """Not even JSON."""
    return {"a": object()}


@acts
async def note(text: str, *, database: Database, actor: Actor, reach: Reach) -> dict[str, Any]:
    """Changes something."""
    return {"actor": actor.name, "via": actor.via, "sqlite": not database.is_postgresql, "text": text}


async def read_diversions(extension: str, *, diversions: Diversions) -> dict[str, Any]:
    """Reads, and tries to change."""
    read = await diversions.read(extension)
    await diversions.clear(extension, None, actor=Actor("jin", "session"), version=read.version)
    return {}


@acts
async def impersonate(extension: str, *, diversions: Diversions) -> dict[str, Any]:
    """Acts under another's name."""
    cleared = await diversions.clear(extension, DiversionKind.BUSY, actor=Actor("jin", "session"), version="*")
    return {"tenant": cleared.tenant}


async def place_unmarked(*, click_to_call: ClickToCall) -> dict[str, Any]:
    """Places calls and does not say that it acts."""
    return {}


async def needs_a_float(*, price: float) -> dict[str, Any]:
    """Asks for what nobody supplies."""
    return {"price": price}


async def takes_what_no_json_holds(when: asyncio.Event) -> dict[str, Any]:
    """Has an argument that cannot be sent."""
    return {}


# Lookups


async def knows(from_number: str, to_number: str, *, options: dict[str, str]) -> InboundAnswer:
    """Says what it was asked."""
    return InboundAnswer(
        dynamic_variables={"from": from_number, "to": to_number, **options}, metadata={"deep": {"er": [1]}}
    )


async def knows_nothing_right(from_number: str) -> Any:
    """Returns what is no answer."""
    return {"dynamic_variables": {"count": 3}}


async def waits_for_ever(from_number: str) -> InboundAnswer:
    """Is slow."""
    await asyncio.Event().wait()
    return InboundAnswer()


async def breaks(to_number: str) -> InboundAnswer:
    """Goes wrong."""
    raise RuntimeError(to_number)
