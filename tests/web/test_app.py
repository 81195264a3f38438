"""What holds for every response, whatever the route."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from daemon.config import Config
from daemon.health import Condition, Part
from tests.web.browser import bearer
from tests.web.client import ask
from tests.web.house import House
from tests.web.turns import until
from web.app import endpoints_of
from web.auth import Needs


async def test_every_response_tells_browsers_what_they_may_not_do(house: House) -> None:
    server = await house.serve()
    known = bearer(await house.token())
    for path in ("/", "/health", "/nowhere", "/api/v1/calls", "/assets/index-B1x2_3.js", "/docs", "/metrics"):
        for headers in ({}, known):
            reply = await ask(server, "GET", path, headers=headers)
            policy = dict(part.split(" ", 1) for part in reply.headers["Content-Security-Policy"].split("; "))
            assert policy["default-src"] == "'self'"
            assert policy["frame-ancestors"] == "'none'"
            assert policy["connect-src"] == f"'self' ws://{server.host}:{server.port} wss://{server.host}:{server.port}"
            assert "script-src" not in policy
            assert reply.headers["X-Content-Type-Options"] == "nosniff"
            assert reply.headers["Referrer-Policy"] == "no-referrer"
            assert reply.headers["Server"] == "parley"
            assert "Access-Control-Allow-Origin" not in reply.headers


async def test_a_strange_host_gets_into_no_header(house: House) -> None:
    server = await house.serve()
    reply = await ask(server, "GET", "/", headers={"Host": "a; script-src *"})
    assert "connect-src 'self';" in reply.headers["Content-Security-Policy"]
    assert "script-src" not in reply.headers["Content-Security-Policy"]


async def test_errors_are_problems(house: House) -> None:
    server = await house.serve()
    known = bearer(await house.token())
    for method, path, status in (
        ("GET", "/nowhere", 404),
        ("GET", "/assets/none.js", 404),
        ("GET", "/assets/..%2f..%2fapp.py", 404),
        ("GET", "/docs/..%2findex.html", 404),
        ("GET", "/%2e%2e/app.py", 404),
        ("POST", "/health", 405),
        ("PATCH", "/api/v1/session", 405),
        ("GET", "/api/v1/calls?limit=x", 422),
        ("GET", "/api/v1/calls/x", 404),
    ):
        reply = await ask(server, method, path, headers=known)
        assert (reply.status, reply.media) == (status, "application/problem+json"), path
        assert reply.json["status"] == status
        assert reply.json["title"]
    reply = await ask(server, "PATCH", "/api/v1/session", headers=known)
    assert reply.headers["Allow"] == "DELETE, GET, HEAD, POST"


async def test_what_goes_wrong_inside_is_logged_and_not_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    server = await house.serve()
    known = bearer(await house.token())
    monkeypatch.setattr(house.registry, "calls", lambda: 1 / 0)
    with capture_logs() as logs:
        reply = await ask(server, "GET", "/api/v1/calls?state=live", headers=known)
    assert (reply.status, reply.media) == (500, "application/problem+json")
    assert "Zero" not in reply.text
    assert [entry["event"] for entry in logs] == ["request_failed"]


async def test_health_says_how_we_are(house: House) -> None:
    server = await house.serve()
    for condition, status in ((Condition.OK, 200), (Condition.DEGRADED, 200), (Condition.DOWN, 503)):
        house.health.add("store", lambda condition=condition: Part(condition, "it is said why"))  # type: ignore[misc]
        reply = await ask(server, "GET", "/health")
        assert reply.status == status
        assert reply.json == {
            "status": condition.value,
            "version": "1.2.3",
            "parts": {"store": {"condition": condition.value, "detail": "it is said why"}},
        }


async def test_health_tells_strangers_no_details(house: House) -> None:
    house.health.add("store", lambda: Part(Condition.DEGRADED, "10.0.0.5 refuses us"))
    server = await house.serve()
    reply = await ask(server, "GET", "/health", headers={"X-Forwarded-For": "203.0.113.9"})
    assert reply.json == {
        "status": "degraded",
        "version": "",
        "parts": {"store": {"condition": "degraded", "detail": ""}},
    }


async def test_the_public_listener_serves_health_and_nothing_else(house: House) -> None:
    server = await house.serve(frozenset({"public"}))
    known = bearer(await house.token("admin"))
    assert (await ask(server, "GET", "/health")).status == 200
    for endpoint in endpoints_of(house.sources, house.static):
        if endpoint.group == "private":
            path = re.sub(r"\{[a-z_]+\}", "x.svg", endpoint.path.replace("{kind}", "BUSY"))
            assert (await ask(server, endpoint.method, path, headers=known)).status in (404, 405), path


async def test_the_private_listener_leaves_health_out(house: House) -> None:
    server = await house.serve(frozenset({"private"}))
    assert (await ask(server, "GET", "/health")).status == 404
    assert (await ask(server, "GET", "/")).status == 200


async def test_the_page_is_for_everybody_and_assets_are_kept_for_ever(house: House) -> None:
    server = await house.serve()
    page = await ask(server, "GET", "/")
    assert (page.status, page.media, page.headers["Cache-Control"]) == (200, "text/html", "no-cache")
    again = await ask(server, "GET", "/", headers={"If-None-Match": page.headers["ETag"]})
    assert again.status == 304
    asset = await ask(server, "GET", "/assets/index-B1x2_3.js")
    assert asset.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert asset.media in ("text/javascript", "application/javascript")
    assert (await ask(server, "GET", "/favicon.svg")).media == "image/svg+xml"
    assert (await ask(server, "HEAD", "/")).status == 200


async def test_admin_leads_anybody_to_the_page_at_its_inbox(house: House) -> None:
    server = await house.serve()
    for method in ("GET", "HEAD"):
        reply = await ask(server, method, "/admin")
        assert (reply.status, reply.headers["Location"]) == (303, "/#/inbox")


async def test_a_console_that_is_not_built_says_so_in_words(house: House, tmp_path: Path) -> None:
    house.static = tmp_path / "nothing"
    server = await house.serve()
    reply = await ask(server, "GET", "/")
    assert (reply.status, reply.media) == (503, "text/html")
    assert "The console is not built" in reply.text
    assert (await ask(server, "GET", "/docs")).status == 503
    assert (await ask(server, "GET", "/openapi.json")).status == 200


async def test_the_documents_are_open_unless_closed(house: House) -> None:
    server = await house.serve()
    assert (await ask(server, "GET", "/openapi.json")).json["openapi"] == "3.1.0"
    docs = await ask(server, "GET", "/docs")
    assert (docs.status, docs.media) == (200, "text/html")
    assert "img-src 'self' data:" in docs.headers["Content-Security-Policy"]
    assert (await ask(server, "GET", "/docs/docs.js")).status == 200
    house.config.web.open_docs = False
    known = bearer(await house.token("viewer"))
    for path in ("/openapi.json", "/docs", "/docs/docs.js"):
        assert (await ask(server, "GET", path)).status == 401
        assert (await ask(server, "GET", path, headers=known)).status == 200


class Roles:
    """Every role with a token."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._tokens: dict[str, dict[str, str]] = {"nobody": {}}

    async def headers(self, role: Any) -> dict[str, str]:
        if role not in self._tokens:
            self._tokens[role] = bearer(await self._house.token(role))
        return self._tokens[role]


async def test_every_route_lets_in_whom_it_says(house: House) -> None:
    server = await house.serve()
    house.config.web.open_docs = False
    roles = Roles(house)
    order = ["nobody", "viewer", "operator", "admin"]
    # From somewhere else, as a proxy on this host that we were not told of would pass it on.
    outside = {"X-Forwarded-For": "203.0.113.9"}
    for endpoint in endpoints_of(house.sources, house.static):
        least = {Needs.NOTHING: "nobody", Needs.METRICS: "viewer", Needs.DOCS: "viewer"}.get(
            endpoint.needs, endpoint.needs.value
        )
        path = re.sub(r"\{[a-z_]+\}", "x.svg", endpoint.path.replace("{kind}", "BUSY"))
        for role in order:
            reply = await ask(server, endpoint.method, path, headers=await roles.headers(role) | outside)
            # No source is configured here: of one that is unknown it is said that there is none.
            refused = reply.status in ((404,) if least == "source" else (401, 403))
            allowed = least != "source" and order.index(role) >= order.index(least)
            assert refused is not allowed, f"{role} at {endpoint.method} {path}"


def test_the_default_configuration_is_closed() -> None:
    assert Config().web.metrics_networks == []
    assert Config().web.trusted_proxies == []


@pytest.mark.parametrize(
    ("headers", "body"),
    [({"Content-Encoding": "gzip"}, b"no gzip at all"), ({"Content-Encoding": "deflate"}, b"\xff\xff")],
)
async def test_a_body_that_cannot_be_read_is_no_fault_of_ours(
    house: House, headers: dict[str, str], body: bytes
) -> None:
    server = await house.serve()
    with capture_logs() as logs:
        reply = await ask(
            server, "POST", "/api/v1/session", data=body, headers=headers | {"Content-Type": "application/json"}
        )
    assert (reply.status, reply.media) == (400, "application/problem+json")
    assert logs == []


async def test_who_hangs_up_amid_a_body_is_no_fault_of_ours(house: House) -> None:
    server = await house.serve()
    with capture_logs() as logs:
        _, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(
            b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
        )
        await until(lambda: bool(server.handler.connections))
        writer.transport.abort()
        await until(lambda: not server.handler.connections)
        await server.close()
    assert logs == []
