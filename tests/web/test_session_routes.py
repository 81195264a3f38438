"""Signing in and out over HTTP."""

from __future__ import annotations

import io
from http.cookies import Morsel

import pytest

from daemon.config import Config, WebConfig
from tests.web.browser import bearer
from tests.web.client import Reply, ask, origin_of
from tests.web.house import PASSWORD, House
from web.auth import COOKIE

PATH = "/api/v1/session"


@pytest.fixture
def config() -> Config:
    return Config(web=WebConfig(login_attempts=3, login_window=60.0))


def session_of(reply: Reply) -> dict[str, str]:
    """The header that sends the reply's cookie back."""
    return {"Cookie": f"{COOKIE}={reply.cookies[COOKIE].value}"}


def cookie_of(reply: Reply) -> Morsel[str]:
    morsel: Morsel[str] = reply.cookies[COOKIE]
    return morsel


async def test_name_and_password_become_a_session(house: House) -> None:
    server = await house.serve()
    await house.user("jin", "viewer")
    body = {"username": "jin", "password": PASSWORD}
    reply = await ask(server, "POST", PATH, json=body, headers={"Origin": origin_of(server)})
    assert reply.status == 200
    assert reply.json == {"username": "jin", "role": "viewer", "full_numbers": False, "extension": ""}
    cookie = cookie_of(reply)
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert cookie["path"] == "/"
    assert not cookie["secure"]
    assert int(cookie["max-age"]) == house.config.web.session_lifetime
    assert reply.headers["Cache-Control"] == "no-store"
    assert (await ask(server, "GET", PATH, headers=session_of(reply))).json == reply.json


async def test_full_numbers_follow_the_role(house: House) -> None:
    server = await house.serve()
    for role, full in (("viewer", False), ("operator", True), ("admin", True)):
        reply = await ask(server, "GET", PATH, headers=bearer(await house.token(role)))  # type: ignore[arg-type]
        assert reply.json == {"username": f"token-{role}", "role": role, "full_numbers": full, "extension": ""}
    house.config.web.full_numbers = "nobody"
    reply = await ask(server, "GET", PATH, headers=bearer(await house.token("admin", "another")))
    assert not reply.json["full_numbers"]


async def test_the_cookie_is_for_https_only_where_the_configuration_says_so(house: House) -> None:
    house.config.web.secure_cookie = True
    server = await house.serve()
    await house.user()
    reply = await ask(server, "POST", PATH, json={"username": "jin", "password": PASSWORD})
    assert cookie_of(reply)["secure"]


async def test_a_wrong_password_is_refused_and_too_many_for_a_while(house: House) -> None:
    server = await house.serve()
    await house.user()
    for _ in range(3):
        reply = await ask(server, "POST", PATH, json={"username": "jin", "password": "x"})
        assert (reply.status, reply.media, reply.json["title"]) == (401, "application/problem+json", "Not signed in")
        assert COOKIE not in reply.cookies
    reply = await ask(server, "POST", PATH, json={"username": "jin", "password": PASSWORD})
    assert reply.status == 429
    assert 0 < int(reply.headers["Retry-After"]) <= 60
    house.now += 61
    assert (await ask(server, "POST", PATH, json={"username": "jin", "password": PASSWORD})).status == 200


async def test_signing_out_ends_the_session(house: House) -> None:
    server = await house.serve()
    await house.user()
    session = session_of(await ask(server, "POST", PATH, json={"username": "jin", "password": PASSWORD}))
    from_here = {"Origin": origin_of(server)}
    reply = await ask(server, "DELETE", PATH, headers=session | from_here)
    assert reply.status == 204
    assert cookie_of(reply).value == ""
    assert (await ask(server, "GET", PATH, headers=session)).status == 401
    assert (await ask(server, "DELETE", PATH, headers=session | from_here)).status == 401


async def test_signing_out_by_token_leaves_the_token(house: House) -> None:
    server = await house.serve()
    known = bearer(await house.token())
    assert (await ask(server, "DELETE", PATH, headers=known)).status == 204
    assert (await ask(server, "GET", PATH, headers=known)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_another_sites_page_cannot_use_the_cookie(house: House, headers: dict[str, str]) -> None:
    server = await house.serve()
    await house.user()
    session = session_of(await ask(server, "POST", PATH, json={"username": "jin", "password": PASSWORD}))
    reply = await ask(server, "DELETE", PATH, headers=session | headers)
    assert (reply.status, reply.json["title"]) == (403, "Not from here")
    assert (await ask(server, "GET", PATH, headers=session)).status == 200


async def test_another_sites_page_cannot_sign_somebody_in(house: House) -> None:
    server = await house.serve()
    await house.user()
    foreign = {"Origin": "https://elsewhere.example"}
    reply = await ask(server, "POST", PATH, json={"username": "jin", "password": PASSWORD}, headers=foreign)
    assert reply.status == 403


async def test_a_printed_address_signs_in_once(house: House) -> None:
    server = await house.serve()
    code = house.accounts.one_time_code("operator", "demo")
    assert (await ask(server, "HEAD", f"/sign-in?code={code}")).status == 405
    reply = await ask(server, "GET", f"/sign-in?code={code}")
    assert (reply.status, reply.headers["Location"]) == (303, "/")
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    who = await ask(server, "GET", PATH, headers=session_of(reply))
    assert who.json == {"username": "demo", "role": "operator", "full_numbers": True, "extension": ""}
    reopened = await ask(server, "GET", f"/sign-in?code={code}", headers=session_of(reply))
    assert (reopened.status, reopened.headers["Location"]) == (303, "/")
    again = await ask(server, "GET", f"/sign-in?code={code}")
    assert (again.status, again.media) == (401, "application/problem+json")
    assert (await ask(server, "GET", "/sign-in")).headers["Location"] == "/"


async def test_signing_in_anew_ends_the_former_session(house: House) -> None:
    server = await house.serve()
    await house.user()
    body = {"username": "jin", "password": PASSWORD}
    former = session_of(await ask(server, "POST", PATH, json=body))
    latter = session_of(await ask(server, "POST", PATH, json=body, headers=former))
    assert (await ask(server, "GET", PATH, headers=former)).status == 401
    assert (await ask(server, "GET", PATH, headers=latter)).status == 200


async def test_what_is_sent_is_looked_at_before_anybody_is_asked(house: House) -> None:
    server = await house.serve()
    json = {"Content-Type": "application/json"}
    for data, headers, status in (
        (b"{}", json, 422),
        (b'{"username":"jin"}', json, 422),
        (b'{"username":1,"password":"x"}', json, 422),
        (b"{", json, 400),
        (b"", json, 400),
        (b"\xff", json, 400),
        (b"username=jin&password=x", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (io.BytesIO(b" " * 1_100_000), json, 413),
    ):
        reply = await ask(server, "POST", PATH, data=data, headers=headers)
        assert (reply.status, reply.media) == (status, "application/problem+json"), data
        assert reply.json["status"] == status
