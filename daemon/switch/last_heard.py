"""When each switch was last heard of, kept on disk: a process that starts later knows for how long nobody listened."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Mapping
from math import floor
from pathlib import Path

import msgspec
import structlog

log = structlog.get_logger(__name__)

_INTERVAL = 1.0
"""Seconds between two notes; by so much more than the truth a gap over a kill can be."""


class LastHeard:
    """Unix seconds by the switch's name, in the file ``path``, as an earlier process left them.

    A file that is not there, or cannot be read, says nothing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._noted: dict[str, float] = {}
        self._refused = False
        self._writing = threading.Lock()  # a write that was not waited for to its end may still be under way
        try:
            self._noted = msgspec.json.decode(path.read_bytes(), type=dict[str, float])
        except FileNotFoundError:
            pass
        except (OSError, msgspec.MsgspecError) as error:
            log.warning("last_heard_not_read", error=type(error).__name__)

    def of(self, server: str) -> float | None:
        """When the switch of that name was last heard of, if it ever was."""
        return self._noted.get(server)

    async def keep(self, now: Callable[[], Mapping[str, float | None]]) -> None:
        """Note again and again what ``now`` says of each switch, until cancelled, and once more then."""
        try:
            while True:
                await asyncio.sleep(_INTERVAL)
                await self.note(now())
        finally:
            await self.note(now())

    async def note(self, heard: Mapping[str, float | None]) -> None:
        """Note when switches were last heard of; of one that says nothing (``None``) the older note stays."""
        # Whole tenths of a second, so that a switch that is silent is not noted anew.
        noted = self._noted | {server: floor(at * 10) / 10 for server, at in heard.items() if at is not None}
        if noted == self._noted:
            return
        self._noted = noted
        try:
            await asyncio.to_thread(self._write, msgspec.json.encode(noted))
        except OSError as error:
            if not self._refused:
                log.warning("last_heard_not_kept", error=error.strerror)
            self._refused = True
        else:
            self._refused = False

    def _write(self, data: bytes) -> None:
        """Whole or not at all, whenever the process is killed."""
        beside = self._path.with_suffix(".new")
        with self._writing:
            beside.write_bytes(data)
            os.replace(beside, self._path)
