"""Webex' side of the chatbot's benchmark: the simulated Webex, and people who write to the bot at a steady pace.

    python -m tests.bench.chatbot_cloud MESSAGES PER_SECOND

It prints where its API is, and the bot's token. A line on its standard input lets people write: so many a second, each
waiting for the answer before they write again. When all are answered, it prints the 99th percentile of the
milliseconds from a message to the answer.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
import time
from collections import deque
from typing import Final

import uvloop

from daemon.demo.webex_cloud import SimulatedWebex
from daemon.demo.webex_world import Person, Room

PEOPLE: Final = 200
TEXTS: Final = ("도움말", "오늘 통화", "tgday 보기", "통화중인 사람 누구")
"""Help, and three questions that services answer."""


def email(number: int) -> str:
    """The address of one of them."""
    return f"person{number}@example.com"


class Writers:
    """``messages`` in all, ``per_second``, by people who wait for their answers."""

    def __init__(self, webex: SimulatedWebex, messages: int, per_second: float) -> None:
        self.delays: list[float] = []
        self._webex = webex
        self._messages = messages
        self._per_second = per_second
        self._free: deque[tuple[Person, Room]] = deque()
        for number in range(PEOPLE):
            person = webex.world.add_person(f"Person {number}", email(number))
            self._free.append((person, webex.world.direct_room(person)))
        self._asked: dict[str, tuple[Person, float]] = {}  # by room
        self._all_answered = asyncio.Event()
        webex.world.changed = self._changed

    async def run(self) -> None:
        """Let all of them write; returns when the last was answered."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in range(self._messages):
            await asyncio.sleep(max(0.0, began + number / self._per_second - loop.time()))
            if not self._free:
                raise AssertionError(f"{len(self._asked)} people wait for an answer")
            person, room = self._free.popleft()
            self._asked[room.id] = person, time.perf_counter()
            self._webex.world.say(person, room, TEXTS[number % len(TEXTS)])
        await self._all_answered.wait()

    def _changed(self, room: Room) -> None:
        # It is told of what is said, and of the answer, of which there may be several parts.
        newest = next(reversed(self._webex.world.messages.values()))
        if newest.author is not self._webex.world.bot or room.id not in self._asked:
            return
        person, asked_at = self._asked.pop(room.id)
        self.delays.append(time.perf_counter() - asked_at)
        self._free.append((person, room))
        if len(self.delays) == self._messages:
            self._all_answered.set()


async def _serve(messages: int, per_second: float) -> None:
    webex = SimulatedWebex()
    await webex.start()
    print(webex.url, webex.token, sep="\n", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    writers = Writers(webex, messages, per_second)
    gc.disable()  # its pauses are not what is measured
    await writers.run()
    print(statistics.quantiles(writers.delays, n=100)[98] * 1e3, flush=True)
    await asyncio.to_thread(sys.stdin.readline)  # until nobody wants it any more
    await webex.stop()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
