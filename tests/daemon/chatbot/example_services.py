"""Services of others, for tests of what leads them."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from daemon.chatbot.contract import Choice, Field, escaped
from daemon.chatbot.turn import Reply, Turn, ask, confirm, done
from daemon.stores.audit import add_audit
from daemon.stores.database import Database, DatabaseAwayError


class Begun(asyncio.Event):
    """Set when the service ``slow`` is at it."""


async def order(turn: Turn, *, database: Database) -> Reply:
    """꽃을 주문합니다."""
    match turn.step:
        case "":
            return ask("어떤 꽃인가요?", step="flower", choices=["장미", "수국", Choice("국화", "mum")])
        case "flower":
            fields = [Field(name="count", label="몇 송이", kind="number"), Field(name="day", label="날짜", kind="date")]
            return ask("몇 송이인가요?", step="details", slots={"flower": turn.choice}, fields=fields)
        case "details":
            return confirm("주문할까요?", step="confirm", slots={**turn.slots, **turn.inputs})
    if not turn.yes:
        return done("주문하지 않았습니다.")
    async with database.transaction() as connection:
        slots = turn.slots
        await add_audit(connection, turn.audit("ordered", f"{slots['flower']} {slots['count']} {slots['day']}"))
    return done("주문했습니다.")


async def note(turn: Turn) -> Reply:
    """적어 둡니다."""
    if turn.step:
        return done(f"적었습니다: {escaped(turn.text)} ({turn.key != ''})")
    return ask(f"무엇을 적을까요?{turn.text}", step="text")


async def echo(turn: Turn) -> Reply:
    """따라 합니다."""
    return done(f"{turn.text}|{turn.whole}")


class Counter:
    """Counts."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def run(self, turn: Turn) -> Reply:
        """셉니다."""
        number = int(turn.slots.get("number", "0")) + 1
        return ask(f"{number}", step="next", slots={"number": str(number)})


async def broken(turn: Turn) -> Reply:
    """고장입니다."""
    if turn.step:
        raise RuntimeError(turn.text)
    return ask("?", step="break")


async def slow(turn: Turn, *, begun: Begun) -> Reply:
    """느립니다."""
    begun.set()
    await asyncio.sleep(3600)
    return done("")


async def nothing(turn: Turn) -> Reply:
    """답이 없습니다."""
    return None  # type: ignore[return-value]


async def astray(turn: Turn) -> Reply:
    """답이 이상합니다."""
    surrogate = b"\xed\xa0\x80".decode("utf-8", "surrogatepass")
    match turn.text:
        case "number":
            return ask("?", step="x", slots={"number": 3})  # type: ignore[dict-item]
        case "object":
            return ask("?", step="x", slots={"object": object()})  # type: ignore[dict-item]
        case "none":
            return done(None)  # type: ignore[arg-type]
        case "blank":
            return done(" \n ")
        case "surrogate":
            return done(surrogate)
        case "cancelled":
            raise asyncio.CancelledError
    raise SystemExit(1)


async def stubborn(turn: Turn, *, begun: Begun) -> Reply:
    """물러서지 않습니다."""
    while not begun.is_set():
        with suppress(asyncio.CancelledError):
            await begun.wait()
    return done("끝났습니다.")


async def choosy(turn: Turn) -> Reply:
    """고릅니다."""
    if turn.step:
        return done(f"{turn.choice} ({turn.text})")
    return ask("지울까요?", step="choose", choices=["지우기", "아니요", Choice("뒤로", "before")])


async def picky(turn: Turn) -> Reply:
    """방을 찾습니다."""
    room = Field(name="room", label="방")
    if not turn.step:
        return ask("어느 방인가요?", step="room", fields=[room])
    if turn.inputs["room"] in ("101", "order"):
        return done(f"{turn.inputs['room']}호입니다.")
    return ask("그런 방은 없습니다. 어느 방인가요?", step="room", fields=[room], misread=True)


async def homeless(turn: Turn) -> Reply:
    """데이터베이스가 없습니다."""
    raise DatabaseAwayError("it is gone")
