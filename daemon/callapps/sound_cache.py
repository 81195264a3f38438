"""Sound files that were made of texts: kept under safe names, found again, and given up where there are too many.

What is used last is given up last, and what is being played never is. The times of the files say when they were used,
so a restart knows it too.
"""

from __future__ import annotations

import os
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger(__name__)

SUFFIX: Final = ".wav"
_UNFINISHED: Final = "making-"


class SoundCache:
    """The files of one folder: ``max_bytes`` in all, beyond what is being played and what was made last.

    Every method but :meth:`playing` may raise :class:`OSError`.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder = folder
        self._max_bytes = max_bytes
        self._bytes = 0
        self._sizes: OrderedDict[str, int] = OrderedDict()  # by name, what was used last at the end
        self._playing: Counter[str] = Counter()

    def open(self) -> None:
        """Make the folder where there is none, look what is in it, and throw away what was not finished."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)  # the switch reads it, as another user
        found: list[tuple[int, str, int]] = []
        for path in self.folder.glob(f"*{SUFFIX}"):
            if path.name.startswith(_UNFINISHED):
                path.unlink(missing_ok=True)
            else:
                status = path.stat()
                found.append((status.st_mtime_ns, path.name, status.st_size))
        self._sizes = OrderedDict((name, size) for _, name, size in sorted(found))
        self._bytes = sum(self._sizes.values())
        self._give_up()

    def has(self, name: str) -> bool:
        """Whether there is such a file. It is used then."""
        if name not in self._sizes:
            return False
        try:
            os.utime(self.folder / name)
        except FileNotFoundError:
            # Somebody else has tidied up.
            self._bytes -= self._sizes.pop(name)
            return False
        self._sizes.move_to_end(name)
        return True

    def unfinished(self, name: str) -> Path:
        """Where the file of that name is made, before it is :meth:`put`."""
        return self.folder / f"{_UNFINISHED}{os.getpid()}-{name}"

    def put(self, name: str) -> None:
        """What was made is whole: it is there from now on, and nobody ever sees half of it."""
        made = self.unfinished(name)
        made.chmod(0o644)
        size = made.stat().st_size
        made.replace(self.folder / name)
        self._bytes += size - self._sizes.pop(name, 0)
        self._sizes[name] = size
        self._give_up(but=name)

    @contextmanager
    def playing(self, name: str) -> Iterator[Path]:
        """The path of a file that is there, and stays there meanwhile."""
        self._playing[name] += 1
        try:
            yield self.folder / name
        finally:
            self._playing[name] -= 1
            if not self._playing[name]:
                del self._playing[name]
                try:
                    if self._bytes > self._max_bytes:
                        self._give_up()
                except OSError as error:
                    # No matter of whoever played this one.
                    log.warning("sound_not_given_up", why=error.strerror)

    def _give_up(self, but: str = "") -> None:
        for name in [name for name in self._sizes if name not in self._playing and name != but]:
            if self._bytes <= self._max_bytes:
                return
            with suppress(FileNotFoundError):
                (self.folder / name).unlink()
            self._bytes -= self._sizes.pop(name)
            log.debug("sound_given_up", file=name)
