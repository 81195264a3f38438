"""Rows that no database takes, kept where a person can look at them."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from daemon.transcripts.records import Record


class DeadLetters:
    """A file of JSON lines beside the spool: what was refused, when and why. It holds what was said: mode 0600."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, at: float, cause: str, refused: Record | bytes) -> None:
        """Append one. ``bytes`` is a record that could not be read. Waits for the disk; raises ``OSError``."""
        line = msgspec.json.encode({"at": at, "cause": cause, "refused": refused}) + b"\n"
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, line)
        finally:
            os.close(file)
