"""A provider that delivers as fast as it is answered: Debian's ``wrk`` with 32 connections."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from tests.bench.push import SIZE, pushes, signature

CONNECTIONS: Final = 32
_SCRIPT: Final = Path(__file__).with_name("deliveries.lua")


class DeliveriesFailedError(Exception):
    """The server did not answer every delivery with 202."""


class Delivered(msgspec.Struct, frozen=True):
    """What came of a load: the bodies of all answers, how many a second, and the 99th percentile of their delays."""

    answers: list[bytes]
    per_s: float
    p99_ms: float


class _Report(msgspec.Struct, frozen=True):
    answered: int
    seconds: float
    p99_ms: float
    others: int
    broken: int


def deliver(port: int, path: str, seconds: int, load: int) -> Delivered:
    """Deliver for so long. Loads of different numbers deliver nothing twice. Raises :class:`DeliveriesFailedError`."""
    with TemporaryDirectory(prefix="parley-bench-") as folder:
        head, tails, answered = (Path(folder, name) for name in ("head", "tails", "answers"))
        head.write_bytes(_head(port, path, load))
        tails.write_bytes(b"".join(map(_tail, pushes())))
        wrk = [_program(), "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s"]
        script = ["--script", str(_SCRIPT), f"http://127.0.0.1:{port}{path}"]
        arguments = [str(head), str(tails), str(len(pushes())), str(answered)]
        done = subprocess.run([*wrk, *script, "--", *arguments], stdout=subprocess.PIPE, text=True, check=True)
        answers = answered.read_bytes().splitlines()
    report = msgspec.json.decode(done.stdout.splitlines()[-1], type=_Report)
    if report.others or report.broken or report.answered != len(answers) or not answers:
        raise DeliveriesFailedError(f"of {report.answered} answers {len(answers)} are 202: {report}")
    return Delivered(answers, report.answered / report.seconds, report.p99_ms)


def _head(port: int, path: str, load: int) -> bytes:
    """A request as GitHub makes one, up to its delivery's last 12 digits."""
    headers = {
        "Host": f"127.0.0.1:{port}",
        "User-Agent": "GitHub-Hookshot/0000000",
        "Accept": "*/*",
        "Content-Type": "application/json",
        "Content-Length": str(SIZE),
        "X-GitHub-Event": "push",
        "X-GitHub-Hook-ID": "1",
        "X-GitHub-Hook-Installation-Target-ID": "1",
        "X-GitHub-Hook-Installation-Target-Type": "organization",
        "X-GitHub-Delivery": f"{load:08x}-0000-4000-8000-",
    }
    return (f"POST {path} HTTP/1.1\r\n" + "\r\n".join(f"{name}: {value}" for name, value in headers.items())).encode()


def _tail(body: bytes) -> bytes:
    """The rest of it: the signatures of ``body``, and that."""
    headers = f"X-Hub-Signature: {signature(body, 'sha1')}\r\nX-Hub-Signature-256: {signature(body, 'sha256')}"
    return f"\r\n{headers}\r\n\r\n".encode() + body


def _program() -> str:
    found = shutil.which("wrk")
    if found is None:
        raise SystemExit("there is no wrk: run this by `make bench`")
    return found
