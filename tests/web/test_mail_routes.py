"""How mail is sent, over REST: set, shown without its password, tried out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from daemon.mail.sealing import new_key
from daemon.stores.audit import latest_audit
from tests.daemon.mail.post_office import PostOffice
from tests.web.browser import bearer
from tests.web.client import Reply, ask
from tests.web.house import House
from tests.web.schema import Schemas

PATH = "/api/v1/mail-settings"
ACCOUNT = {
    "sender": "parley@example.com",
    "host": "mail.example.com",
    "port": 587,
    "tls": "starttls",
    "recipient": "lead@example.com",
}
UNSAID = {"account": None, "has_password": False, "is_stored": False, "problem": "", "has_key": True}
SAID = UNSAID | {"account": ACCOUNT, "is_stored": True}


@pytest.fixture
def secrets() -> dict[str, str]:
    return {"PARLEY_MAIL_PASSWORD_KEY": new_key()}


class Desk:
    """An admin at a server."""

    def __init__(self, server: TestServer, admin: dict[str, str]) -> None:
        self.server = server
        self.admin = admin

    async def ask(self, method: str, path: str = PATH, body: Any = None) -> Reply:
        return await ask(self.server, method, path, json=body, headers=self.admin)


@pytest.fixture
async def desk(house: House) -> Desk:
    return Desk(await house.serve(), bearer(await house.token("admin")))


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    office = PostOffice()
    await office.start()
    yield office
    await office.stop()


async def test_it_is_for_admins(house: House, desk: Desk) -> None:
    operator = bearer(await house.token("operator"))
    for method, path, body in (
        ("GET", PATH, None),
        ("PUT", PATH, ACCOUNT),
        ("DELETE", PATH, None),
        ("POST", f"{PATH}/test", {}),
    ):
        assert (await ask(desk.server, method, path, json=body, headers=operator)).status == 403
        assert (await ask(desk.server, method, path, json=body)).status == 401


async def test_the_password_goes_in_and_never_comes_out(house: House, desk: Desk) -> None:
    assert (await desk.ask("GET")).json == UNSAID
    assert (await desk.ask("PUT", body=ACCOUNT)).json == SAID
    answered = await desk.ask("PUT", body=ACCOUNT | {"password": "an example secret"})
    assert answered.json == SAID | {"has_password": True}
    assert (await desk.ask("PUT", body=ACCOUNT | {"recipient": ""})).json["has_password"], "it stays"
    for reply in (answered, await desk.ask("GET"), await desk.ask("GET", "/openapi.json")):
        assert b"an example secret" not in reply.body
    moved = await desk.ask("PUT", body=ACCOUNT | {"host": "mail.example.net"})
    assert (moved.status, "give it again" in moved.json["detail"]) == (422, True)
    assert not (await desk.ask("PUT", body=ACCOUNT | {"password": ""})).json["has_password"]
    assert (await desk.ask("DELETE")).status == 204
    assert (await desk.ask("GET")).json == UNSAID
    async with house.database.read() as connection:
        rows = await latest_audit(connection, 5)
    assert [(row.action, row.detail.get("password")) for row in rows] == [
        ("mail_settings_removed", None),
        ("mail_settings_changed", "none"),
        ("mail_settings_changed", "kept"),
        ("mail_settings_changed", "given"),
        ("mail_settings_changed", "kept"),
    ]


async def test_a_test_letter_says_how_it_went(desk: Desk, office: PostOffice) -> None:
    unready = await desk.ask("POST", f"{PATH}/test", {})
    assert (unready.status, "Nobody has said" in unready.json["detail"]) == (409, True)
    await desk.ask("PUT", body=ACCOUNT | {"host": "127.0.0.1", "port": office.port, "tls": "none"})
    assert (await desk.ask("POST", f"{PATH}/test", {})).json == {"to": "lead@example.com"}
    assert (await desk.ask("POST", f"{PATH}/test", {"to": "mina@example.com"})).json == {"to": "mina@example.com"}
    assert [taken.recipients for taken in office.taken] == [["lead@example.com"], ["mina@example.com"]]
    office.says = {"mina@example.com": ["550 No such user", "451 Try again"]}
    for status, words in ((502, "550 No such user."), (503, "451 Try again.")):
        refused = await desk.ask("POST", f"{PATH}/test", {"to": "mina@example.com"})
        assert (refused.status, refused.json["detail"].endswith(words)) == (status, True)
    wrong = await desk.ask("POST", f"{PATH}/test", {"to": "nobody"})
    assert (wrong.status, "An e-mail address has" in wrong.json["detail"]) == (422, True)


@pytest.mark.parametrize("wrong", [{"port": 0}, {"tls": "ssl"}, {"host": "a b"}, {"sender": "x"}, {"user": "x"}])
async def test_what_cannot_be_is_refused(desk: Desk, wrong: dict[str, Any]) -> None:
    assert (await desk.ask("PUT", body=ACCOUNT | wrong)).status == 422
    assert (await desk.ask("GET")).json == UNSAID


async def test_answers_are_what_the_document_says(desk: Desk, office: PostOffice) -> None:
    document = (await desk.ask("GET", "/openapi.json")).json
    schemas = Schemas(document["components"]["schemas"])
    there = ACCOUNT | {"host": "127.0.0.1", "port": office.port, "tls": "none", "password": "x"}
    for method, path, body in (
        ("GET", PATH, None),
        ("POST", f"{PATH}/test", {}),
        ("PUT", PATH, there),
        ("PUT", PATH, {}),
        ("GET", PATH, None),
        ("POST", f"{PATH}/test", {"to": "nobody"}),
    ):
        reply = await desk.ask(method, path, body)
        told = document["paths"][path][method.lower()]["responses"][str(reply.status)]["content"][reply.media]
        assert schemas.problems(reply.json, told["schema"]) == []


class TestWithoutAKey:
    @pytest.fixture
    def secrets(self) -> dict[str, str]:
        return {}

    async def test_a_password_is_not_stored(self, desk: Desk) -> None:
        refused = await desk.ask("PUT", body=ACCOUNT | {"password": "an example secret"})
        assert (refused.status, "parley mail key" in refused.json["detail"]) == (409, True)
        assert (await desk.ask("GET")).json == UNSAID | {"has_key": False}
