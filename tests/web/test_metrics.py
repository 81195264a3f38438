"""Figures for Prometheus, read back by Prometheus' own parser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
from prometheus_client.parser import text_string_to_metric_families

from daemon.calls.links import LinkState
from daemon.health import Condition, Part
from tests.web.browser import bearer
from tests.web.client import ask
from tests.web.conftest import Connect
from tests.web.house import House
from web.metrics import OwnProcess


async def scrape(house: House) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    reply = await ask(house.servers[0], "GET", "/metrics")
    assert reply.media == "text/plain"
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
    }


def key(name: str, /, **labels: Any) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


async def test_requests_are_counted_by_route_method_and_class_of_status(house: House) -> None:
    server = await house.serve()
    known = bearer(await house.token())
    for call_id in ("a", "b", "c"):
        await ask(server, "GET", f"/api/v1/calls/{call_id}", headers=known)
    for stranger in ("/x", "/y?z=1", "/.env"):
        await ask(server, "GET", stranger)
    await ask(server, "POST", "/api/v1/session", json={"username": "u", "password": "p" * 100})
    await ask(server, "BREW", "/health")
    found = await scrape(house)
    template = "/api/v1/calls/{call_id}"
    assert found[key("http_requests_total", handler=template, method="GET", status="4xx")] == 3
    assert found[key("http_requests_total", handler="none", method="GET", status="4xx")] == 3
    assert found[key("http_request_duration_seconds_count", handler=template, method="GET")] == 3
    assert found[key("http_response_size_bytes_count", handler=template)] == 3
    assert found[key("http_response_size_bytes_sum", handler=template)] > 3 * 60
    assert found[key("http_request_size_bytes_sum", handler="/api/v1/session")] > 100
    handlers = {dict(labels).get("handler") for name, labels in found if name.startswith("http_")}
    assert not handlers & {"/x", "/y", "/.env", "/api/v1/calls/a"}
    methods = {dict(labels)["method"] for name, labels in found if "method" in dict(labels)}
    assert methods <= {"GET", "POST", "other"}


async def test_calls_links_and_speech_are_counted(house: House) -> None:
    await house.serve()
    house.sources.metrics.text()
    house.link(LinkState.READY, last_event_at=house.now - 2)
    house.ring()
    house.say("하", final=False)
    house.say("하나")
    house.ring("leg-b")
    house.hang_up("leg-b")
    house.health.add("recorder", lambda: Part(Condition.DEGRADED, "", {"waiting": 12.0, "lost rows": 3.0}))
    for name in ("main", "other"):
        house.health.add(f"switch:{name}", lambda: Part(Condition.OK, "", {"doubles": 2.0}))
    since = house.now
    found = await scrape(house)
    assert found[key("parley_calls", state="ringing")] == 1
    assert found[key("parley_calls", state="ended")] == 1
    assert found[key("parley_calls_live")] == 1
    assert found[key("parley_utterances_total", speaker="caller")] == 1
    assert found[key("parley_interims_total")] == 1
    assert found[key("parley_link_up", link="switch:main")] == 1
    assert found[key("parley_link_last_event_age_seconds", link="switch:main")] == since - 1_700_000_000.0 + 2
    assert found[key("parley_recorder_waiting")] == 12
    assert found[key("parley_recorder_lost_rows")] == 3
    assert found[key("parley_switch_doubles", name="main")] == found[key("parley_switch_doubles", name="other")] == 2
    assert found[key("parley_part_condition", part="recorder")] == 0.5
    assert found[key("parley_build_info", version="1.2.3")] == 1
    assert found[key("process_resident_memory_bytes")] > 0


async def test_the_live_view_is_counted(house: House, connect: Connect) -> None:
    browsers = [await connect(), await connect()]
    for browser in browsers:
        await browser.watch("*")
    house.ring()
    house.say("하나")
    for browser in browsers:
        await browser.until_texts("하나")
    found = await scrape(house)
    assert found[key("parley_live_clients")] == 2
    assert found[key("parley_live_deliveries_total")] == 4
    assert found[key("parley_live_clients_cut_off_total")] == 0
    assert found[key("parley_live_interims_dropped_total")] == 0
    opened = key("http_requests_total", handler="/socket.io/", method="GET", status="1xx")
    assert found[opened] == 2


def test_the_process_is_measured_where_proc_shows_only_processes(tmp_path: Path) -> None:
    (tmp_path / "self").symlink_to("/proc/self")  # and no stat, meminfo or anything else beside it
    found = {metric.name: metric.samples[0].value for metric in OwnProcess(proc=str(tmp_path), registry=None).collect()}
    assert found["process_resident_memory_bytes"] > 0
    started = psutil.Process().create_time()
    assert abs(found["process_start_time_seconds"] - started) < 5
