"""What a switch says about its channels when it is asked.

``show channels`` can list channels that are long gone, so ``uuid_exists`` is asked about every one of them.
Questions are pipelined, a bounded number at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar
from urllib.parse import unquote

import msgspec
import structlog

from daemon.calls.control import Certainty
from daemon.switch.command_link import CommandLink
from protocols.errors import ProtocolError
from protocols.esl.events import ChannelRow, EslEvent, decode_channel, decode_channels

log = structlog.get_logger(__name__)

T = TypeVar("T")

_AT_ONCE = 32
"""How many questions may be under way: enough to hide the way there and back, too few to fill a socket."""


class SnapshotFailedError(Exception):
    """The switch could not be asked, or its answer is none. Ask again when the command link is up."""


async def list_channels(commands: CommandLink) -> list[ChannelRow]:
    """``show channels as json``: a row for every channel that the switch lists, gone ones among them.

    :raises SnapshotFailedError: when there is no answer, or none that can be read.
    """
    text = await _ask(commands, "show", "channels as json")
    try:
        rows = decode_channels(text)
    except ProtocolError as error:
        raise SnapshotFailedError(str(error)) from None
    # An id that is not one word was given by a dialplan, and no command could name it.
    return [row for row in rows if len(row.unique_id.split()) == 1]


class Channel(msgspec.Struct, frozen=True, gc=False):
    """What the switch told of one channel: its data, its row in the list, and the app code that is its own."""

    data: EslEvent
    row: ChannelRow
    code: str


async def read_channels(commands: CommandLink, rows: Iterable[ChannelRow], found: Callable[[Channel], None]) -> None:
    """Call ``found`` with every channel of ``rows`` that exists, at the moment the switch tells it.

    :raises SnapshotFailedError: when there is no answer. Some may have been found before.
    """

    async def read(row: ChannelRow) -> None:
        if not await exists(commands, row.unique_id):
            return
        text = await _ask(commands, "uuid_dump", f"{row.unique_id} json")
        try:
            data = decode_channel(text)
        except ProtocolError as error:
            # Gone since it was asked whether it exists, or data that cannot be read: the others are none the worse.
            log.debug("switch_channel_unread", error=type(error).__name__)
            return
        code = data.code
        if data.other_leg_id:
            # Here JSON may have kept the other leg's; in plain text the two stand in order.
            code = own_code(await _ask(commands, "uuid_dump", row.unique_id))
        found(Channel(data, row, code))

    await _each(rows, read)


async def denied(commands: CommandLink, leg_ids: Iterable[str]) -> list[str]:
    """Those of ``leg_ids`` of which the switch says that they do not exist.

    :raises SnapshotFailedError: when there is no answer.
    """
    gone: list[str] = []

    async def ask(leg_id: str) -> None:
        if not await exists(commands, leg_id):
            gone.append(leg_id)

    await _each(leg_ids, ask)
    return gone


async def exists(commands: CommandLink, leg_id: str) -> bool:
    """``uuid_exists``. Only a plain ``false`` is a no.

    :raises SnapshotFailedError: when there is no answer.
    """
    return await _ask(commands, "uuid_exists", leg_id) != "false"


def own_code(plain: str) -> str:
    """The app code of the channel that ``uuid_dump`` printed: what stands before the headers of its other leg."""
    for line in plain.splitlines():
        name, _, value = line.partition(": ")
        if name == "code":
            return unquote(value, errors="replace")
        if name.startswith("Other-"):
            break
    return ""


async def _ask(commands: CommandLink, name: str, args: str) -> str:
    outcome = await commands.api(name, args)
    if outcome.certainty is not Certainty.ANSWERED:
        raise SnapshotFailedError(outcome.text)
    return outcome.text


async def _each(items: Iterable[T], work: Callable[[T], Awaitable[None]]) -> None:
    """Do ``work`` on every item, a few at a time; the first failure stops the rest and is raised."""
    remaining = iter(items)

    async def worker() -> None:
        for item in remaining:
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(worker())
    except ExceptionGroup as failures:
        # A group that fails while it is cancelled forgets that it was, and whoever asked would go on for ever.
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError from None
        raise failures.exceptions[0] from None
