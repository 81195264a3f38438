"""The service as a real process: what systemd is told, what signals do, and in which order it stops."""

import asyncio
import os
import re
import signal
import socket
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from daemon.demo.switch import SimulatedSwitch
from daemon.service import _end_tasks
from tests.daemon.service_manager import ServiceManager

PASSWORD = "example-password"
LONG = os.environ.get("PARLEY_PROVE") == "1"


@pytest.fixture
async def switch() -> AsyncIterator[SimulatedSwitch]:
    simulated = SimulatedSwitch(password=PASSWORD, speed=50.0)
    await simulated.start()
    yield simulated
    await simulated.stop()


class Site:
    """A service with its configuration file and its state in one folder."""

    def __init__(self, folder: Path, switch: SimulatedSwitch) -> None:
        self.folder = folder
        self.config = folder / "parley.toml"
        self.write(switch_port=switch.port)
        self.environment = {
            "PARLEY_SWITCH_MAIN_PASSWORD": PASSWORD,
            "CREDENTIALS_DIRECTORY": "",
            "RUNTIME_DIRECTORY": "",
        }
        self.manager = ServiceManager(self.config, folder, self.environment)

    def write(self, more: str = "", *, switch_port: int | None = None, database: str = "") -> None:
        if switch_port is not None:
            self.switch_port = switch_port
        self.config.write_text(
            f'[service]\nstate_dir = "{self.folder}/state"\n'
            f"[[switch]]\nport = {self.switch_port}\nreconnect_cap = 0.5\n"
            f'[database]\nurl = "{database}"\n'
            f"[[web.listener]]\nport = 0\n{more}"
        )

    async def get(self, path: str) -> Any:
        """Ask over the Unix socket, as the command line does."""
        connector = aiohttp.UnixConnector(str(self.folder / "state" / "parley.sock"))
        async with aiohttp.ClientSession(connector=connector) as http, http.get(f"http://parley{path}") as response:
            return await response.json()

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(60):
            while not await condition():  # noqa: ASYNC110 - another process gives no event to wait for
                await asyncio.sleep(0.02)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What is in the database file."""
        connection = sqlite3.connect(self.folder / "state" / "parley.db")
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def logged(self) -> str:
        return self.manager.log.read_text()


@pytest.fixture
async def site(tmp_path: Path, switch: SimulatedSwitch) -> AsyncIterator[Site]:
    site = Site(tmp_path, switch)
    yield site
    await site.manager.close()


async def test_systemd_is_told_all_of_its_life(site: Site, switch: SimulatedSwitch) -> None:
    await site.manager.start()
    ready = await site.manager.state("READY", "1")
    assert "of 1 links up" in ready["STATUS"]
    await switch.subscribers()
    await switch.call(code="dev-app")
    await site.manager.state("STATUS", "1 of 1 links up, 1 calls")
    pings = sum("WATCHDOG" in state for state in site.manager.states)
    await site.manager.state("WATCHDOG", "1", after=len(site.manager.states))
    assert sum("WATCHDOG" in state for state in site.manager.states) > pings
    assert (await site.get("/health"))["status"] == "ok"
    site.manager.send(signal.SIGTERM)
    await site.manager.state("STOPPING", "1")
    assert await site.manager.ended() == 0
    assert not (site.folder / "state" / "spool" / "rows").exists()
    assert "stop_step_cut_off" not in site.logged()


async def test_hup_applies_a_right_file_and_refuses_a_wrong_one(site: Site) -> None:
    await site.manager.start()
    await site.manager.state("READY", "1")

    site.write('[log]\nlevel = "loud"\n[lvie]\n[live]\nmax_clients = 0\n')
    before, heard = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000, len(site.manager.states)
    site.manager.send(signal.SIGHUP)
    reloading = await site.manager.state("RELOADING", "1", after=heard)
    assert before <= int(reloading["MONOTONIC_USEC"]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    refused = await site.manager.state("READY", "1", after=heard)
    assert "the old configuration holds" in refused["STATUS"]
    for mistake in ("log.level", "lvie", "live.max_clients"):
        assert mistake in site.logged()

    site.write('[log]\nlevel = "warning"\n[calls]\nkeep_ended = 5.0\n')
    heard = len(site.manager.states)
    site.manager.send(signal.SIGHUP)
    await site.manager.state("READY", "1", after=heard)
    site.manager.send(signal.SIGTERM)
    assert await site.manager.ended() == 0
    # "stopping" is told at level info, which was turned off.
    assert '"event": "stopping"' not in site.logged()


async def test_hup_says_what_only_a_restart_applies(site: Site) -> None:
    await site.manager.start()
    await site.manager.state("READY", "1")
    site.write('[calls]\nkeep_ended = 5.0\n[live]\nmax_clients = 3\n[log]\nlevel = "warning"\n')
    heard = len(site.manager.states)
    site.manager.send(signal.SIGHUP)
    await site.manager.state("READY", "1", after=heard)
    assert re.search(r'"tables": \["calls"\].*"event": "config_needs_restart"', site.logged())


async def test_term_under_load_stops_in_order_and_loses_nothing(site: Site, switch: SimulatedSwitch) -> None:
    await site.manager.start()
    await site.manager.state("READY", "1")
    await switch.subscribers()
    calls = [await switch.call(caller=f"0101234{number:04}", code="dev-app") for number in range(10)]
    for call in calls:
        await call.answer()

    ended = asyncio.Event()

    async def talk() -> None:
        """Everybody speaks, and the switch floods, past the end of the process."""
        number = 0
        while not ended.is_set():
            number += 1
            for call in calls:
                await call.say(f"발화 {number}")
            switch.flood(100, calls[number % len(calls)])
            await switch.flushed()
            await asyncio.sleep(0.001)  # with nobody left to wait for, it would let nobody else have the loop

    async def heard() -> dict[str, int]:
        listed = (await site.get("/api/v1/calls?state=live&limit=100"))["calls"]
        found = {}
        for call_id in [call["call_id"] for call in listed]:
            found[call_id] = len((await site.get(f"/api/v1/calls/{call_id}/transcript"))["utterances"])
        return found

    async def all_heard() -> bool:
        counts = await heard()
        return len(counts) == len(calls) and min(counts.values()) >= (200 if LONG else 20)

    talking = asyncio.create_task(talk())
    await site.until(all_heard)
    shown = await heard()
    began = time.monotonic()
    site.manager.send(signal.SIGTERM)
    assert await site.manager.ended() == 0
    # The bound that the configuration gives the stop, past which the process cuts itself off; no measure of speed.
    assert time.monotonic() - began < 15
    ended.set()
    await talking
    stored = dict(site.rows("SELECT call_id, count(*) FROM utterances GROUP BY call_id"))
    assert all(stored[call_id] >= count for call_id, count in shown.items())
    assert site.rows("SELECT call_id FROM utterances GROUP BY call_id HAVING max(seq) != count(*)") == []
    log = site.logged()
    assert "stop_step_cut_off" not in log
    steps = [log.index(f'"event": "{event}"') for event in ("stopping", "listeners_stopped", "links_stopped")]
    assert steps == sorted(steps)
    assert log.index('"event": "recorder_stopped"') > steps[-1]


async def test_database_that_is_away_keeps_nobody_from_the_live_view(site: Site, switch: SimulatedSwitch) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        site.write(database=f"postgresql://parley@127.0.0.1:{nobody.getsockname()[1]}/none")
        await site.manager.start()
        ready = await site.manager.state("READY", "1")
        assert "database:" in ready["STATUS"]
        await switch.subscribers()
        call = await switch.call(code="dev-app")
        await call.answer()
        await call.say("여보세요")
        await site.manager.state("STATUS", "1 of 1 links up, 1 calls; database:")
        health = await site.get("/health")
        assert health["status"] == "degraded"
        site.manager.send(signal.SIGTERM)
        assert await site.manager.ended() == 0
    spooled = [path for path in (site.folder / "state" / "spool").rglob("*") if path.is_file()]
    assert any("여보세요".encode() in path.read_bytes() for path in spooled)


async def test_killed_process_finds_its_calls_again(site: Site, switch: SimulatedSwitch) -> None:
    await site.manager.start()
    await site.manager.state("READY", "1")
    await switch.subscribers()
    staying, leaving = await switch.call(caller="01000000001"), await switch.call(caller="01000000002")
    for call in (staying, leaving):
        await call.answer()
        await call.say("하나")

    async def stored() -> bool:
        return site.rows("SELECT count(*) FROM utterances") == [(2,)]

    await site.until(stored)
    ids = dict(site.rows("SELECT caller, call_id FROM calls"))
    epoch = (await site.get(f"/api/v1/calls/{ids['01000000001']}/transcript"))["epoch"]
    site.manager.send(signal.SIGKILL)
    assert await site.manager.ended() == -signal.SIGKILL
    await leaving.hang_up()

    heard = len(site.manager.states)
    await site.manager.start()
    await site.manager.state("READY", "1", after=heard)
    await switch.subscribers()

    async def found() -> bool:
        listed = (await site.get("/api/v1/calls?state=live"))["calls"]
        return [call["call_id"] for call in listed] == [ids["01000000001"]]

    await site.until(found)
    await staying.say("둘")

    async def continued() -> bool:
        transcript = await site.get(f"/api/v1/calls/{ids['01000000001']}/transcript")
        assert transcript["epoch"] != epoch
        return [(one["seq"], one["text"]) for one in transcript["utterances"]] == [(1, "하나"), (2, "둘")]

    await site.until(continued)
    site.manager.send(signal.SIGTERM)
    assert await site.manager.ended() == 0
    assert dict(site.rows("SELECT caller, call_id FROM calls")) == ids


async def test_second_process_on_the_same_state_is_refused(site: Site, switch: SimulatedSwitch) -> None:
    await site.manager.start()
    await site.manager.state("READY", "1")
    other = ServiceManager(site.config, site.folder / "state", site.environment)
    await other.start()
    assert await other.ended() == 1
    assert "another Parley uses" in other.log.read_text()
    assert "Traceback" not in other.log.read_text()
    assert (await site.get("/health"))["version"]


async def test_address_in_use_is_said_in_one_line(site: Site) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        site.config.write_text(site.config.read_text().replace("port = 0", f"port = {port}"))
        await site.manager.start()
        assert await site.manager.ended() == 1
    assert site.logged().splitlines()[-1].startswith(f"parley: cannot listen at 127.0.0.1 port {port}")
    assert "Traceback" not in site.logged()


async def test_wrong_configuration_exits_78_before_anything_is_bound(site: Site) -> None:
    site.write("[lvie]\n")
    await site.manager.start()
    assert await site.manager.ended() == 78
    assert site.manager.states == []


async def test_abort_of_the_watchdog_shows_the_stack(site: Site) -> None:
    await site.manager.start()
    await site.manager.state("READY", "1")
    site.manager.send(signal.SIGABRT)
    assert await site.manager.ended() == -signal.SIGABRT
    assert "Current thread" in site.logged()
    assert "run" in site.logged()


async def test_second_term_ends_it_at_once(site: Site) -> None:
    await site.manager.start()
    await site.manager.state("READY", "1")
    reader, writer = await asyncio.open_unix_connection(str(site.folder / "state" / "parley.sock"))
    # A request whose body never comes keeps the listeners from being closed.
    writer.write(b"POST /api/v1/session HTTP/1.1\r\nHost: parley\r\nContent-Type: application/json\r\n")
    writer.write(b"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n")
    assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
    site.manager.send(signal.SIGTERM)
    await site.manager.state("STOPPING", "1")
    site.manager.send(signal.SIGTERM)
    assert await site.manager.ended() == 1
    writer.close()
    assert "stop_cut_short" in site.logged()
    assert "Traceback" not in site.logged()


async def test_a_task_that_loses_its_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.service._CANCEL_AGAIN", 0.01)
    cancelled = 0
    begun = asyncio.Event()

    async def forgetful() -> None:
        nonlocal cancelled
        while cancelled < 3:
            try:
                begun.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled += 1

    task = asyncio.create_task(forgetful())
    await begun.wait()
    await _end_tasks([task])
    assert task.done()
