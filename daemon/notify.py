"""Telling systemd how the service is doing: the sd_notify protocol over its datagram socket.

https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Mapping


class Notifier:
    """Sends states to the socket that ``$NOTIFY_SOCKET`` names; without one, sends nothing.

    A datagram that systemd does not take at once is dropped rather than waited for: the next watchdog ping follows.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        address = environment.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the NUL byte of the abstract namespace.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket: socket.socket | None = None
        if self._address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)
        self.watchdog_interval = _watchdog_interval(environment)
        """Seconds between two pings, a third of what the unit allows; ``None`` where it has no watchdog."""

    def ready(self, status: str) -> None:
        """The configuration is right and the listeners are bound; also the end of a reload."""
        self._send("READY=1", _status(status))

    def reloading(self) -> None:
        """A reload begins. systemd wants the time of it by its own monotonic clock."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send("RELOADING=1", f"MONOTONIC_USEC={now}")

    def status(self, status: str) -> None:
        """One line for ``systemctl status``."""
        self._send(_status(status))

    def stopping(self) -> None:
        """An orderly stop has begun."""
        self._send("STOPPING=1", _status("stopping"))

    def ping(self) -> None:
        """The event loop is alive."""
        self._send("WATCHDOG=1")

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, *lines: str) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.sendto("\n".join(lines).encode(), self._address)


def _status(text: str) -> str:
    return "STATUS=" + text.replace("\n", " ")


def _watchdog_interval(environment: Mapping[str, str]) -> float | None:
    """systemd gives the whole time in microseconds, and the process it means by ``WATCHDOG_PID``."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        whole = int(environment.get("WATCHDOG_USEC", ""))
    except ValueError:
        return None
    return whole / 3_000_000 if whole > 0 else None
