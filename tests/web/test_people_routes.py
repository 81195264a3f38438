"""People and teams over REST, for admins: seen, changed, and what a change means for who is signed in."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp.test_utils import TestServer

from daemon.config import Config, PbxConfig, PbxTenantConfig
from daemon.stores.audit import latest_audit
from daemon.stores.tgdays import TgdayRow, save_tgday
from tests.web.browser import Browser, bearer
from tests.web.client import Reply, ask
from tests.web.house import PASSWORD, House
from tests.web.schema import Schemas

PEOPLE, TEAMS = "/api/v1/people", "/api/v1/teams"
NOTHING: dict[str, Any] = {
    "full_name": "",
    "email": "",
    "team": "",
    "extension": "",
    "tenant": "",
    "may_sign_in": False,
    "in_webex": False,
    "tgday": None,
}


@pytest.fixture
def config() -> Config:
    # Without an address nothing of the PBX counts, its tenants neither.
    return Config(pbx=PbxConfig(tenant=[PbxTenantConfig(name="main")]))


class Desk:
    """An admin at a server."""

    def __init__(self, server: TestServer, admin: dict[str, str]) -> None:
        self.server = server
        self.admin = admin

    async def ask(self, method: str, path: str, body: Any = None) -> Reply:
        return await ask(self.server, method, path, json=body, headers=self.admin)

    async def put(self, name: str, **said: Any) -> Reply:
        return await self.ask("PUT", f"{PEOPLE}/{quote(name, safe='')}", {"role": "viewer"} | said)


@pytest.fixture
async def desk(house: House) -> Desk:
    return Desk(await house.serve(), bearer(await house.token("admin")))


async def test_it_is_for_admins(house: House, desk: Desk) -> None:
    operator = bearer(await house.token("operator"))
    for method, path, body in (
        ("GET", PEOPLE, None),
        ("GET", f"{PEOPLE}/mina", None),
        ("PUT", f"{PEOPLE}/mina", {"role": "admin"}),
        ("PUT", f"{PEOPLE}/mina/password", {"password": PASSWORD}),
        ("DELETE", f"{PEOPLE}/mina", None),
        ("GET", TEAMS, None),
        ("GET", f"{TEAMS}/a", None),
        ("PUT", f"{TEAMS}/a", {}),
        ("DELETE", f"{TEAMS}/a", None),
    ):
        assert (await ask(desk.server, method, path, json=body, headers=operator)).status == 403
        assert (await ask(desk.server, method, path, json=body)).status == 401


async def test_a_person_is_added_replaced_and_removed(house: House, desk: Desk) -> None:
    assert (await desk.ask("PUT", f"{TEAMS}/{quote('영업팀')}", {"manager_email": "Lead@example.com"})).status == 201
    said = {"full_name": "김미나", "email": "Mina@example.com", "team": "영업팀", "extension": "2001", "tenant": "main"}
    added = await desk.put("Mina", **said)
    known = NOTHING | said | {"name": "mina", "role": "viewer", "email": "mina@example.com"}
    assert (added.status, added.json) == (201, known)
    async with house.database.transaction() as connection:
        await save_tgday(connection, TgdayRow(user_name="mina", date=date(2026, 3, 14), entered_at=1.0))
    assert (await desk.ask("GET", f"{PEOPLE}/MINA")).json == known | {"tgday": "2026-03-14"}
    assert (await desk.ask("GET", PEOPLE)).json == {"people": [known | {"tgday": "2026-03-14"}], "tenants": []}
    team = {"name": "영업팀", "manager_email": "lead@example.com", "size": 1}
    assert (await desk.ask("GET", TEAMS)).json == {"teams": [team]}
    assert (await desk.ask("GET", f"{TEAMS}/{quote('영업팀')}")).json == team
    replaced = await desk.put("mina", role="operator")
    assert (replaced.status, replaced.json) == (
        200,
        NOTHING | {"name": "mina", "role": "operator", "tgday": "2026-03-14"},
    )
    assert (await desk.ask("DELETE", f"{TEAMS}/{quote('영업팀')}")).status == 204
    assert (await desk.ask("DELETE", f"{PEOPLE}/mina")).status == 204
    assert (await desk.ask("GET", PEOPLE)).json["people"] == []
    async with house.database.read() as connection:
        rows = await latest_audit(connection, 6)
    assert [(row.actor, row.via, row.action) for row in reversed(rows)] == [
        ("token-admin", "token", "team_added"),
        ("token-admin", "token", "person_added"),
        ("token-admin", "token", "person_changed"),
        ("token-admin", "token", "role_changed"),
        ("token-admin", "token", "team_removed"),
        ("token-admin", "token", "user_removed"),
    ]


@pytest.mark.parametrize("name", ["a/b", "김미나@example.com", "50%", "{x}", "a?b#c"])
async def test_names_of_any_kind_have_an_address(desk: Desk, name: str) -> None:
    assert (await desk.put(name)).status == 201
    assert (await desk.ask("GET", f"{PEOPLE}/{quote(name, safe='')}")).json["name"] == name
    team = f"{TEAMS}/{quote(name, safe='')}"
    assert (await desk.ask("PUT", team, {})).json["name"] == name
    assert (await desk.ask("DELETE", team)).status == 204


async def test_what_is_refused_says_why(desk: Desk) -> None:
    await desk.put("jun", email="jun@example.com")
    for status, detail, reply in (
        (404, "There is nobody called nobody.", await desk.ask("GET", f"{PEOPLE}/nobody")),
        (404, "There is nobody called nobody.", await desk.ask("DELETE", f"{PEOPLE}/nobody")),
        (404, "There is no user nobody.", await desk.ask("PUT", f"{PEOPLE}/nobody/password", {"password": PASSWORD})),
        (404, "There is no team none.", await desk.ask("GET", f"{TEAMS}/none")),
        (404, "There is no team none.", await desk.ask("DELETE", f"{TEAMS}/none")),
        (409, "That e-mail address is jun's.", await desk.put("mina", email="JUN@example.com")),
        (422, "There is no team none.", await desk.put("mina", team="none")),
        (422, "A password has at least 12", await desk.ask("PUT", f"{PEOPLE}/jun/password", {"password": "short"})),
        (422, "A name has 1 to 64", await desk.put("mi na")),
        (422, "An e-mail address has", await desk.put("mina", email="mina")),
        (422, "An e-mail address has", await desk.ask("PUT", f"{TEAMS}/a", {"manager_email": "lead"})),
        (422, "Object contains unknown field", await desk.put("mina", room="x")),
        (422, "Invalid enum value", await desk.put("mina", role="chief")),
    ):
        assert reply.status == status, reply.json
        assert detail in reply.json["detail"]
    assert [one["name"] for one in (await desk.ask("GET", PEOPLE)).json["people"]] == ["jun"]


async def sign_in(house: House, desk: Desk, name: str, role: Any) -> dict[str, str]:
    await house.user(name, role)
    session = await house.accounts.sign_in(name, PASSWORD, "192.0.2.7")
    return {"Cookie": f"parley_session={session.token}", "Sec-Fetch-Site": "same-origin"}


async def test_a_change_holds_at_once_for_who_is_signed_in(house: House, desk: Desk) -> None:
    mina = await sign_in(house, desk, "mina", "admin")
    assert (await ask(desk.server, "GET", PEOPLE, headers=mina)).status == 200
    watching = Browser()
    await watching.connect(desk.server, dict(mina))  # which takes the cookie out
    await watching.until(lambda: bool(watching.payloads("calls")))
    assert (await desk.put("mina", role="viewer")).status == 200
    await watching.until(lambda: watching.gone)
    assert (await ask(desk.server, "GET", PEOPLE, headers=mina)).status == 403
    assert (await ask(desk.server, "GET", "/api/v1/session", headers=mina)).json["role"] == "viewer"
    assert (await desk.ask("DELETE", f"{PEOPLE}/mina")).status == 204
    assert (await ask(desk.server, "GET", "/api/v1/session", headers=mina)).status == 401
    await watching.close()


async def test_a_password_is_given_and_ends_sessions(house: House, desk: Desk) -> None:
    await desk.put("jun")
    path = f"{PEOPLE}/jun/password"
    assert (await desk.ask("PUT", path, {"password": PASSWORD})).status == 204
    assert (await desk.ask("GET", f"{PEOPLE}/jun")).json["may_sign_in"]
    session = await house.accounts.sign_in("jun", PASSWORD, "192.0.2.7")
    assert (await desk.ask("PUT", path, {"password": PASSWORD + "!"})).status == 204
    assert await house.accounts.session(session.token) is None
    async with house.database.read() as connection:
        [row, *_] = await latest_audit(connection, 1)
    assert (row.actor, row.action, row.subject, row.address) == ("token-admin", "password_changed", "jun", "127.0.0.1")


async def test_nobody_takes_their_own_role_away(house: House, desk: Desk) -> None:
    mina = await sign_in(house, desk, "mina", "admin")
    own = f"{PEOPLE}/mina"
    for reply in (
        await ask(desk.server, "PUT", own, json={"role": "viewer"}, headers=mina),
        await ask(desk.server, "DELETE", own, headers=mina),
    ):
        assert (reply.status, reply.json["title"]) == (409, "Not possible")
    assert (await ask(desk.server, "PUT", own, json={"role": "admin", "full_name": "나"}, headers=mina)).status == 200


async def test_answers_are_what_the_document_says(desk: Desk) -> None:
    document = (await desk.ask("GET", "/openapi.json")).json
    schemas = Schemas(document["components"]["schemas"])
    await desk.ask("PUT", f"{TEAMS}/a", {})
    for method, template, path, body in (
        ("PUT", PEOPLE + "/{name}", f"{PEOPLE}/mina", {"role": "viewer", "team": "a"}),
        ("PUT", PEOPLE + "/{name}", f"{PEOPLE}/mina", {"role": "operator", "team": "b"}),
        ("GET", PEOPLE, PEOPLE, None),
        ("GET", PEOPLE + "/{name}", f"{PEOPLE}/mina", None),
        ("GET", TEAMS, TEAMS, None),
        ("PUT", TEAMS + "/{name}", f"{TEAMS}/a", {"manager_email": "a@example.com"}),
        ("DELETE", TEAMS + "/{name}", f"{TEAMS}/nobody", None),
    ):
        reply = await desk.ask(method, path, body)
        told = document["paths"][template][method.lower()]["responses"][str(reply.status)]["content"][reply.media]
        assert schemas.problems(reply.json, told["schema"]) == []
