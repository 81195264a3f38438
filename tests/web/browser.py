"""A browser's side of the live view: a real socket.io client that remembers what it was told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import socketio  # type: ignore[import-untyped]
from aiohttp.test_utils import TestServer

NAMESPACE = "/live"


class Browser:
    """Connects, watches, and waits for what it is told. ``heard`` is everything, in order."""

    def __init__(self) -> None:
        # Ours, since the library leaves its own open when a connection is refused.
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self._client = socketio.AsyncClient(reconnection=False, http_session=self._session)
        self._changed = asyncio.Event()
        self.heard: list[tuple[str, Any]] = []
        self.gone = False
        for name in ("calls", "call", "utterance", "link", "reset"):
            self._client.on(name, self._hearer(name), namespace=NAMESPACE)
        self._client.on("disconnect", self._left, namespace=NAMESPACE)

    def _hearer(self, name: str) -> Callable[[Any], None]:
        def hear(payload: Any) -> None:
            self.heard.append((name, payload))
            self._changed.set()

        return hear

    def _left(self, *_: Any) -> None:
        self.gone = True
        self._changed.set()

    async def connect(self, server: TestServer, headers: dict[str, str]) -> None:
        url = str(server.make_url("/"))
        await self._client.connect(
            url, headers=headers, transports=["websocket"], namespaces=[NAMESPACE], wait_timeout=10
        )

    async def close(self) -> None:
        await self._client.disconnect()
        await self._session.close()

    async def ask(self, name: str, *arguments: Any) -> Any:
        """Send an event and return its acknowledgement."""
        data = arguments[0] if len(arguments) == 1 else tuple(arguments)
        return await self._client.call(name, data, namespace=NAMESPACE, timeout=20)

    async def send(self, name: str, data: Any) -> None:
        await self._client.emit(name, data, namespace=NAMESPACE)

    async def watch(self, call_id: str, after: dict[str, int] | None = None, epoch: str | None = None) -> Any:
        return await self.ask("watch", {"call_id": call_id, "after": after or {}, "epoch": epoch})

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something heard makes that true."""
        async with asyncio.timeout(20):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    def payloads(self, name: str) -> list[Any]:
        """What was told under that name."""
        return [payload for heard, payload in self.heard if heard == name]

    def texts(self) -> list[str]:
        """The finals as the browser would hold them: a reset replaces, an utterance adds."""
        held: list[dict[str, Any]] = []
        for name, payload in self.heard:
            if name == "reset":
                whole = payload["call_id"] == "*"
                held = [one for one in held if not whole and one["call_id"] != payload["call_id"]]
                held += payload["utterances"]
            elif name == "utterance" and payload["final"]:
                held.append(payload)
        return [one["text"] for one in held]

    async def until_texts(self, *texts: str) -> None:
        """Wait until exactly these finals are held."""
        await self.until(lambda: len(self.texts()) >= len(texts))
        assert self.texts() == list(texts)


def bearer(token: str) -> dict[str, str]:
    """The header of an API token."""
    return {"Authorization": f"Bearer {token}"}
