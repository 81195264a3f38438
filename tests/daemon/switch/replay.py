"""A :class:`~tests.daemon.switch.history.History` told again over real sockets, as far and from where a test wants."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tests.daemon.switch.history import History, Moment
from tests.daemon.switch.script import Conversation, ScriptedSwitch, json_event, reply, response

LAST = "last-leg"
"""A call that comes in after all that is told: when it is known, so is everything before it."""


class Replay:
    """A switch to which nothing happens but what is :meth:`told <tell>`.

    Commands are answered as at the moment ``stands`` (-1: nothing has happened yet), until a test moves it.
    """

    def __init__(self, history: History) -> None:
        self.stands = -1
        self.over = False
        self._listed = 0
        self._was_listed = asyncio.Event()
        self._history = history
        self._server = ScriptedSwitch(self._serve)
        self._at_once: Sequence[Moment] = ()
        self._listener: Conversation | None = None
        self._clients: list[Conversation] = []

    @property
    def port(self) -> int:
        return self._server.port

    def now(self) -> float:
        """The switch's clock: it and Parley's agree."""
        return self._history[max(self.stands, 0)].at

    async def __aenter__(self) -> Replay:
        await self._server.start()
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self._server.stop()

    def tell_at_once(self, first: int, last: int) -> None:
        """Send the events from ``first`` to ``last``, both included, to whoever subscribes next, before all else."""
        self._at_once = self._history[first : last + 1]

    async def tell(self, first: int, last: int) -> None:
        """Send the events from ``first`` to ``last``, both included."""
        await self._send(self._history[first : last + 1])

    async def end(self) -> None:
        """Send the event that is the last."""
        self.over = True
        assert self._listener is not None
        core = self._history[max(self.stands, 0)].core_uuid
        await self._listener.send(json_event(Event_Name="CHANNEL_CREATE", Core_UUID=core, Unique_ID=LAST))

    async def compared(self) -> None:
        """Wait until somebody who asks again and again has asked for everything there is now."""
        enough = self._listed + 2
        while self._listed < enough:
            self._was_listed.clear()
            await self._was_listed.wait()

    def cut(self) -> None:
        """Close every connection, after what was sent on it."""
        for client in self._clients:
            client.close()
        self._clients.clear()
        self._listener = None

    async def _send(self, moments: Sequence[Moment]) -> None:
        assert self._listener is not None
        await self._listener.send(b"".join(moment.frame for moment in moments))

    async def _serve(self, client: Conversation) -> None:
        self._clients.append(client)
        await client.sign_in()
        while command := await client.command():
            if command.startswith("event "):
                self._listener = client
                await client.send(reply("+OK event listener enabled json"))
                await self._send(self._at_once)
            else:
                await client.send(response(self._answer(command)))

    def _answer(self, command: str) -> str:
        _, name, *words = command.split()
        moment = self._history[self.stands] if self.stands >= 0 else None
        if name == "show":
            self._listed += 1
            self._was_listed.set()
            return moment.rows if moment is not None else '{"row_count": 0}'
        if name == "uuid_exists":
            exists = words[0] == LAST if self.over else False
            return "true" if exists or (moment is not None and words[0] in moment.dumps) else "false"
        if name == "uuid_dump" and moment is not None and words[0] in moment.dumps:
            return moment.dump(words[0], "json" if words[1:] == ["json"] else "plain")
        return "-ERR No such channel!\n"
