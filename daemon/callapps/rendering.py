"""A program that makes sound files of texts: run once for each text, however many calls want it, and at once."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Final

import structlog

from daemon.callapps.sound_cache import SUFFIX, SoundCache
from daemon.config import RenderingConfig

log = structlog.get_logger(__name__)

_AFTER_FAILURE: Final = 30.0
"""Seconds for which what could not be made is not tried again: a caller waits in silence each time."""
_OURS: Final = ("PARLEY_", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "WATCHDOG_")
"""What of our environment is nothing to the program."""


_Failure = tuple[float, str]
"""Until when nothing is tried again, by the loop's clock, and why."""
_NEVER: Final[_Failure] = (0.0, "")


class RenderingFailedError(Exception):
    """No sound file could be made. The text says why, and holds nothing of what was to be said."""


class Rendering:
    """Sound files as ``config`` says; its ``command`` is not empty.

    The program reads the text from its standard input, in UTF-8, and has to write a WAV file at ``{output}``. No shell
    is between, and nothing of a text stands in its arguments, which everybody on the host could read.
    """

    def __init__(self, config: RenderingConfig) -> None:
        self._config = config
        self._cache = SoundCache(Path(config.folder), config.max_bytes)
        self._seen_by_switch = PurePosixPath(config.switch_folder or config.folder)
        self._turns = asyncio.Semaphore(config.at_once)
        self._making: dict[str, asyncio.Task[None]] = {}
        self._failed: dict[str, _Failure] = {}  # by name
        self._rests = _NEVER
        self._kind = json.dumps([config.command, config.voice])
        self._is_open = False

    def open(self) -> None:
        """Look what is there from before. A folder that cannot be used is logged, and looked at again later."""
        self._has("")

    def prepare(self, text: str) -> asyncio.Task[None] | None:
        """Begin to make the file of ``text``; ``None``: it is there, or will not be tried now.

        The task raises nothing, is everybody's, and is not to be cancelled.
        """
        name = self._name(text)
        if name in self._making:
            return self._making[name]
        if self._has(name) or self._problem(name):
            return None
        task = self._making[name] = asyncio.get_running_loop().create_task(self._make(name, text))
        task.add_done_callback(lambda _: self._making.pop(name, None))
        return task

    @asynccontextmanager
    async def sound(self, text: str) -> AsyncIterator[str]:
        """The path of the file of ``text``, as the switch sees it; it stays there meanwhile.

        Raises :class:`RenderingFailedError`.
        """
        making = self.prepare(text)
        if making is not None:
            await asyncio.wait({making})
        name = self._name(text)
        if not self._has(name):
            raise RenderingFailedError(self._problem(name) or "it was given up before it could be played")
        with self._cache.playing(name):
            yield str(self._seen_by_switch / name)

    async def close(self) -> None:
        """End what is being made."""
        tasks = list(self._making.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _name(self, text: str) -> str:
        """The same for the same text, voice and command, and nothing that a text could break."""
        return hashlib.sha256(f"{self._kind}\n{text}".encode()).hexdigest()[:40] + SUFFIX

    def _has(self, name: str) -> bool:
        try:
            if not self._is_open:
                self._cache.open()
                self._is_open = True
            return self._cache.has(name)
        except OSError as error:
            if not self._problem(name):
                self._note(name, f"the folder cannot be used: {error.strerror}", rest=True)
            return False

    # What cannot be made

    def _problem(self, name: str) -> str:
        """Why the file is not tried to be made now, ``""`` where it is."""
        now = asyncio.get_running_loop().time()
        for until, why in (self._failed.get(name, _NEVER), self._rests):
            if now < until:
                return why
        return ""

    def _note(self, name: str, why: str, *, rest: bool) -> None:
        """It failed; with ``rest`` nothing is made for a while, since another text would fare no better."""
        now = asyncio.get_running_loop().time()
        failure = (now + _AFTER_FAILURE, why)
        self._failed = {name: failed for name, failed in self._failed.items() if failed[0] > now} | {name: failure}
        if rest:
            self._rests = failure
        log.error("text_not_rendered", why=why, file=name)

    # What can

    async def _make(self, name: str, text: str) -> None:
        made = self._cache.unfinished(name)
        try:
            async with asyncio.timeout(self._config.deadline), self._turns:
                await self._run(text, made)
            if not _is_wave(made):
                raise RenderingFailedError("the program wrote no WAV file")
            self._cache.put(name)
        except TimeoutError:
            self._note(name, f"the program took longer than {self._config.deadline:g} seconds", rest=True)
        except OSError as error:
            self._note(name, f"the program or its file cannot be used: {error.strerror}", rest=True)
        except RenderingFailedError as error:
            self._note(name, str(error), rest=False)
        else:
            self._failed.pop(name, None)
        finally:
            with suppress(OSError):
                made.unlink(missing_ok=True)

    async def _run(self, text: str, output: Path) -> None:
        filled = {"{output}": str(output), "{voice}": self._config.voice}
        program, *arguments = self._config.command
        for mark, value in filled.items():
            arguments = [argument.replace(mark, value) for argument in arguments]
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,  # which may quote the text
            env={name: value for name, value in os.environ.items() if not name.startswith(_OURS)},
            start_new_session=True,
        )
        try:
            await process.communicate(text.encode())
        except RuntimeError:
            # It has ended already: what other loops take for a broken pipe, uvloop takes for a closed handle.
            await process.wait()
        finally:
            if process.returncode is None:
                # With all that it has started itself.
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if process.returncode != 0:
            raise RenderingFailedError(f"the program ended with code {process.returncode}")


def _is_wave(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(13)
    except FileNotFoundError:
        return False
    return len(head) == 13 and head[:4] == b"RIFF" and head[8:12] == b"WAVE"
