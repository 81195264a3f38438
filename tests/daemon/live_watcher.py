"""Somebody who watches the live view by a real socket.io client, comes back after every break, and keeps count."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import socketio  # type: ignore[import-untyped]

NAMESPACE = "/live"
EVERYTHING = "*"

_LONG = 60.0
"""No condition is waited for longer than this; only a failing test gets there."""


class LiveWatcher:
    """Watches all calls. After a break it says which seqs it holds, and of which epoch.

    ``held`` is what a page would hold: the finals of each call in the order of their seqs. ``doubles`` are finals of a
    seq that it held already, ``holes`` those that came when one before them had not: both are to stay empty.
    """

    def __init__(self) -> None:
        self.held: dict[str, list[dict[str, Any]]] = {}
        self.calls: dict[str, dict[str, Any]] = {}
        self.told: list[dict[str, Any]] = []
        """Every change of a call that it was told, in order."""
        self.links: list[dict[str, Any]] = []
        """Every state of a link that it was told, in order."""
        self.resets: list[str] = []
        """The call ids that were reset, in order."""
        self.epochs: list[str] = []
        """Every epoch that it was told, in order."""
        self.doubles: list[dict[str, Any]] = []
        self.holes: list[dict[str, Any]] = []
        self.refused: list[Any] = []
        self.heard_at: dict[str, float] = {}
        """When each text was heard first, by the monotonic clock."""
        self._changed = asyncio.Event()
        self._connected = False
        self._watching = False
        self._http: aiohttp.ClientSession | None = None
        self._client: socketio.AsyncClient | None = None

    # Its life

    async def connect(self, port: int, token: str) -> None:
        """Connect and watch; returns when it is told all there is."""
        await self._connect(aiohttp.ClientSession(), f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {token}"})

    async def connect_unix(self, path: Path) -> None:
        """The same over the command line's socket, where the system says who we are and no database is asked."""
        await self._connect(aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))), "http://parley", {})

    async def _connect(self, http: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> None:
        self._http = http
        self._client = socketio.AsyncClient(
            reconnection_delay=0.05,
            reconnection_delay_max=0.2,
            randomization_factor=0.0,
            handle_sigint=False,
            http_session=http,
        )
        for name, take in (
            ("calls", self._take_calls),
            ("call", self._take_call),
            ("link", self._take_link),
            ("reset", self._take_reset),
            ("utterance", self._take_utterance),
        ):
            self._client.on(name, self._noted(take), namespace=NAMESPACE)
        self._client.on("connect", self._found, namespace=NAMESPACE)
        self._client.on("disconnect", self._lost, namespace=NAMESPACE)
        await self._client.connect(
            url, headers=headers, transports=["websocket"], namespaces=[NAMESPACE], wait_timeout=20
        )
        await self.watching()

    async def watching(self) -> None:
        """Wait until it is connected and the server has taken its watch."""
        await self.until(lambda: self._watching)

    async def away(self) -> None:
        """Wait until the connection is gone."""
        await self.until(lambda: not self._connected)

    async def close(self) -> None:
        """Go away, and do not come back."""
        if self._client is not None:
            await self._client.disconnect()
            await self._client.shutdown()
        if self._http is not None:
            await self._http.close()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something it was told makes that true."""
        async with asyncio.timeout(_LONG):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    # What it holds

    def texts(self, call_id: str) -> list[str]:
        """What was said on that call, in order of seq."""
        return [final["text"] for final in self.held.get(call_id, [])]

    @property
    def epoch(self) -> str | None:
        """The epoch that its seqs belong to."""
        return self.epochs[-1] if self.epochs else None

    # What it is told

    def _noted(self, take: Callable[[Any], None]) -> Callable[[Any], None]:
        def hear(payload: Any) -> None:
            take(payload)
            self._changed.set()

        return hear

    def _take_calls(self, payload: dict[str, Any]) -> None:
        self.calls = {call["call_id"]: call for call in payload["calls"]}
        for link in payload["links"]:
            self._take_link(link)
        asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        assert self._client is not None
        after = {call_id: finals[-1]["seq"] for call_id, finals in self.held.items() if finals}
        wish = {"call_id": EVERYTHING, "after": after, "epoch": self.epoch}
        try:
            answer = await self._client.call("watch", wish, namespace=NAMESPACE, timeout=20)
        except (socketio.exceptions.SocketIOError, ValueError):
            return  # the connection is gone again; the next one watches anew
        if "error" in answer:
            self.refused.append(answer["error"])
        self._note_epoch(answer.get("epoch"))
        self._watching = True
        self._changed.set()

    def _found(self, *_: Any) -> None:
        self._connected = True

    def _lost(self, *_: Any) -> None:
        self._connected = self._watching = False
        self._changed.set()

    def _take_call(self, payload: dict[str, Any]) -> None:
        self.calls[payload["call"]["call_id"]] = payload["call"]
        self.told.append(payload["call"])

    def _take_link(self, link: dict[str, Any]) -> None:
        self.links.append(link)

    def _take_reset(self, payload: dict[str, Any]) -> None:
        self._note_epoch(payload["epoch"])
        self.resets.append(payload["call_id"])
        if payload["call_id"] == EVERYTHING:
            self.held.clear()
        else:
            self.held.pop(payload["call_id"], None)
        for utterance in payload["utterances"]:
            self._hold(utterance)

    def _take_utterance(self, utterance: dict[str, Any]) -> None:
        if utterance["final"]:
            self.heard_at.setdefault(utterance["text"], time.monotonic())
            self._hold(utterance)

    def _hold(self, final: dict[str, Any]) -> None:
        finals = self.held.setdefault(final["call_id"], [])
        if final["seq"] <= len(finals):
            self.doubles.append(final)
            return
        if final["seq"] > len(finals) + 1:
            self.holes.append(final)
        finals.append(final)

    def _note_epoch(self, epoch: str | None) -> None:
        if epoch is not None and epoch != self.epoch:
            self.epochs.append(epoch)
