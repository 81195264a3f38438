"""The recordings of this folder, opened: ``from tests.wire import recordings``.

A recording is named by its file without ``.gz``: ``"02_json_full_call.esl"``, ``"s1_ping.jsonl"``. What each holds and
where it came from stands in the ``README.md`` beside this file.
"""

from __future__ import annotations

import ast
import gzip
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent
_SENT = re.compile(r"\[\s*(?P<at>[\d.]+)s off=(?P<offset>\d+)\] > (?P<data>b(?:'.*'|\".*\"))")
_TRUNCATED_BODY = 300


class Sent(NamedTuple):
    """One write of the recording client, ``at`` seconds after it connected, when ``offset`` bytes had arrived."""

    at: float
    offset: int
    data: bytes


class Pair(NamedTuple):
    """A command and its reply. ``headers`` has no blank line; ``body`` is cut at 300 bytes."""

    command: bytes
    headers: bytes
    body: bytes

    def matches(self, body: bytes) -> bool:
        """Whether a whole ``body`` is the one that was noted down."""
        return body[:_TRUNCATED_BODY] == self.body


def names(kind: str, suffix: str) -> list[str]:
    """The recordings of ``kind`` (``"freeswitch"`` or ``"dipcast"``) that end in ``suffix`` (``".esl"`` …), sorted."""
    return sorted(path.name.removesuffix(".gz") for path in (FOLDER / kind).glob(f"*{suffix}.gz"))


def esl() -> list[str]:
    """The names of all recordings of an event socket's received bytes."""
    return names("freeswitch", ".esl")


@cache
def read(name: str) -> bytes:
    """The exact bytes of the recording ``name``."""
    kind = "dipcast" if name.endswith(".jsonl") else "freeswitch"
    return gzip.decompress((FOLDER / kind / f"{name}.gz").read_bytes())


def unpack(name: str, folder: Path) -> Path:
    """Write the recording ``name`` into ``folder`` for who wants a file, and return where."""
    path = folder / name
    path.write_bytes(read(name))
    return path


def sent(name: str) -> list[Sent]:
    """What the client of the event socket recording ``name`` (``….esl``) wrote, in order."""
    text = read(name.removesuffix(".esl") + ".txt").decode()
    return [
        Sent(float(found["at"]), int(found["offset"]), ast.literal_eval(found["data"]))
        for found in (_SENT.match(line) for line in text.splitlines())
        if found is not None
    ]


def pairs() -> list[Pair]:
    """Every command of ``04d_commands.esl`` with the reply it got, in order."""
    lines = iter(read("04d_pairs.txt").decode().splitlines())
    return [_pair(command, next(lines)) for command in lines]


def _pair(command: str, reply: str) -> Pair:
    headers, body = re.fullmatch(r"\s+=> ('.*'|\".*\") body=(b'.*'|b\".*\")", reply).groups()  # type: ignore[union-attr]
    return Pair(ast.literal_eval(command).encode(), ast.literal_eval(headers).encode(), ast.literal_eval(body))


def frames(name: str) -> Iterator[dict[str, Any]]:
    """Every line of the DIPCAST recording ``name``, whose keys the ``README.md`` explains."""
    return (json.loads(line) for line in read(name).splitlines())
