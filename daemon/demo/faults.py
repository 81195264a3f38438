"""What is wrong with the simulated switch at the moment, as its tests asked for."""

from __future__ import annotations

import asyncio


class Faults:
    """Nothing is wrong at first. ``flowing`` cleared: nothing is read from any client and nothing written to one."""

    def __init__(self) -> None:
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.replying = asyncio.Event()
        self.replying.set()
        self.reply_delay = 0.0
        self.acl = False
        self.wrong_password = False
        self._doubled = 0

    def double_next(self, count: int) -> None:
        """Send the next ``count`` events twice each, with the same sequence."""
        self._doubled += count

    def times_to_send(self) -> int:
        """How often the event at hand goes out."""
        if self._doubled:
            self._doubled -= 1
            return 2
        return 1

    def heal(self) -> None:
        """Nothing is wrong any more."""
        self.flowing.set()
        self.replying.set()
        self.reply_delay = 0.0
        self.acl = self.wrong_password = False
        self._doubled = 0

    async def before_reply(self) -> None:
        """Wait as long as replies are to be late."""
        if self.reply_delay:
            await asyncio.sleep(self.reply_delay)
        await self.replying.wait()
