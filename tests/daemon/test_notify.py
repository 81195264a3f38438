import os
import socket
import time
from pathlib import Path

import pytest

from daemon.notify import Notifier


@pytest.mark.parametrize("abstract", [False, True])
def test_states_reach_the_socket(tmp_path: Path, abstract: bool) -> None:
    name = f"parley-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind("\0" + name if abstract else str(tmp_path / "notify"))
        notifier = Notifier({"NOTIFY_SOCKET": "@" + name if abstract else str(tmp_path / "notify")})
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        notifier.ready("2 switches\nready")
        notifier.reloading()
        notifier.status("x")
        notifier.ping()
        notifier.stopping()
        assert server.recv(999) == b"READY=1\nSTATUS=2 switches ready"
        state, stamp = server.recv(999).split(b"\n")
        assert state == b"RELOADING=1"
        assert (
            before <= int(stamp.removeprefix(b"MONOTONIC_USEC=")) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        )
        assert [server.recv(999) for _ in range(3)] == [b"STATUS=x", b"WATCHDOG=1", b"STOPPING=1\nSTATUS=stopping"]
        notifier.close()


def test_without_systemd_nothing_is_sent() -> None:
    notifier = Notifier({})
    notifier.ready("x")
    notifier.close()
    assert notifier.watchdog_interval is None


def test_systemd_that_is_gone_or_full_is_not_waited_for(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stuck:
        stuck.bind(str(tmp_path / "notify"))
        notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")})
        for _ in range(5000):
            notifier.ping()
    notifier.ping()
    notifier.close()
    notifier.ping()


@pytest.mark.parametrize(
    ("environment", "interval"),
    [
        ({"WATCHDOG_USEC": "20000000"}, 20 / 3),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": str(os.getpid())}, 20 / 3),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_watchdog_is_fed_three_times_in_its_time(environment: dict[str, str], interval: float | None) -> None:
    assert Notifier(environment).watchdog_interval == interval
