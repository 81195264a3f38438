"""A server that speaks the event socket exactly as a test tells it to, on a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

AUTH_REQUEST = b"Content-Type: auth/request\n\n"
GOODBYE = b"Content-Type: text/disconnect-notice\nContent-Length: 11\n\nGood night\n"


def reply(text: str) -> bytes:
    return f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode()


def response(body: str) -> bytes:
    raw = body.encode()
    return b"Content-Type: api/response\nContent-Length: %d\n\n%b" % (len(raw), raw)


def json_event(**headers: str) -> bytes:
    """An event frame; ``_`` in a name stands for ``-``, but for that of ``_body`` and of variables."""
    named = {
        name if name.startswith(("variable_", "_")) else name.replace("_", "-"): value
        for name, value in headers.items()
    }
    raw = json.dumps(named, ensure_ascii=False).encode()
    return b"Content-Length: %d\nContent-Type: text/event-json\n\n%b" % (len(raw), raw)


class Conversation:
    """One client's connection, as the script sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.commands: list[str] = []

    async def command(self) -> str:
        """The client's next command, without its blank line; ``""`` when it has gone."""
        try:
            command = (await self._reader.readuntil(b"\n\n")).decode().rstrip("\n")
        except asyncio.IncompleteReadError:
            return ""
        self.commands.append(command)
        return command

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def sign_in(self) -> None:
        """Let the client in, whatever its password."""
        await self.send(AUTH_REQUEST)
        await self.command()
        await self.send(reply("+OK accepted"))

    def close(self) -> None:
        """Close the connection after what was sent."""
        self._writer.close()

    async def gone(self) -> None:
        """Wait until the client has closed its side."""
        while await self._reader.read(65_536):
            pass


Script = Callable[[Conversation], Awaitable[None]]


class ScriptedSwitch:
    """Runs ``script`` for every connection; when it returns, the connection is closed."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.connections = 0
        self.connected = asyncio.Event()
        self.failures: list[BaseException] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        assert not self.failures, self.failures

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.connected.set()
        try:
            await self._script(Conversation(reader, writer))
        except (ConnectionError, asyncio.CancelledError):
            pass
        except BaseException as failure:
            self.failures.append(failure)
        finally:
            self._tasks.discard(task)
            writer.close()
