"""The simulated Webex: what a bot may do there, what it is refused, and how it is delivered to."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from daemon.accounts.people_file import read_people
from daemon.demo.webex import PEOPLE, DemoWebex
from daemon.demo.webex_cloud import SimulatedWebex
from protocols.webhooks.signatures import SignatureRefusedError
from protocols.webhooks.webex import WebexVerifier
from tests.daemon.inbox.receiver import Receiver

SECRET = "a secret of the test's own"


@pytest_asyncio.fixture
async def cloud() -> AsyncIterator[SimulatedWebex]:
    made = SimulatedWebex(failures_allowed=3)
    await made.start()
    yield made
    await made.stop()


class Client:
    """The bot, without any client of ours."""

    def __init__(self, cloud: SimulatedWebex, http: aiohttp.ClientSession) -> None:
        self._cloud = cloud
        self._http = http

    async def ask(self, method: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self._cloud.token}"}
        url = f"{self._cloud.url}/{path}"
        async with self._http.request(method, url, json=body, params=query, headers=headers) as response:
            return response.status, await response.json() if response.content_type == "application/json" else None


@pytest_asyncio.fixture
async def client(cloud: SimulatedWebex) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as http:
        yield Client(cloud, http)


async def test_it_delivers_signed_what_the_bot_may_know_and_its_own(cloud: SimulatedWebex, client: Client) -> None:
    mina = cloud.world.add_person("민아", "mina@example.com")
    group = cloud.world.group_room("상담팀", mina)
    async with Receiver() as receiver:
        made = {"name": "parley", "targetUrl": receiver.url(), "resource": "messages", "event": "created"}
        status, hook = await client.ask("POST", "webhooks", made | {"secret": SECRET})
        assert (status, hook["status"], hook["targetUrl"]) == (200, "active", receiver.url())
        cloud.world.say(mina, group, "우리끼리")
        said = cloud.world.say(mina, group, "도움말", mention=True)
        status, own = await client.ask("POST", "messages", {"roomId": group.id, "markdown": "**네**"})
        assert (status, own["text"], own["personEmail"]) == (200, "네", "parley@webex.bot")
        await cloud.deliveries.settled()
        assert len(receiver.got) == 2
        for got in receiver.got:
            WebexVerifier([SECRET]).verify(got.headers, got.body, now=0.0)
            with pytest.raises(SignatureRefusedError):
                WebexVerifier(["another"]).verify(got.headers, got.body, now=0.0)
        [told] = [one for one in (json.loads(got.body) for got in receiver.got) if one["actorId"] == mina.id]
        assert {key: told[key] for key in ("id", "name", "resource", "event", "actorId")} == {
            "id": hook["id"],
            "name": "parley",
            "resource": "messages",
            "event": "created",
            "actorId": mina.id,
        }
        assert told["data"]["id"] == said.id
        assert "text" not in told["data"]


async def test_a_webhook_that_fails_too_often_is_off_until_somebody_turns_it_on(
    cloud: SimulatedWebex, client: Client
) -> None:
    mina = cloud.world.add_person("민아", "mina@example.com")
    room = cloud.world.direct_room(mina)
    async with Receiver() as receiver:
        receiver.answer = lambda _: web.Response(status=500)
        hook = cloud.world.add_hook("parley", receiver.url(), "messages", "created")
        for number in range(5):
            cloud.world.say(mina, room, f"말 {number}")
            await cloud.deliveries.settled()
        assert len(receiver.got) == 3
        _, shown = await client.ask("GET", "webhooks")
        assert [one["status"] for one in shown["items"]] == ["inactive"]
        receiver.answer = None
        change = {"name": "parley", "targetUrl": receiver.url()}
        assert (await client.ask("PUT", f"webhooks/{hook.id}", {"status": "active"}))[0] == 400
        assert (await client.ask("PUT", f"webhooks/{hook.id}", change | {"status": "active"}))[0] == 200
        cloud.world.say(mina, room, "다시")
        await cloud.deliveries.settled()
        assert len(receiver.got) == 4
    assert (await client.ask("DELETE", f"webhooks/{hook.id}"))[0] == 204
    assert (await client.ask("DELETE", f"webhooks/{hook.id}"))[0] == 404


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"markdown": "가" * 2480}, 400, "7439 bytes"),
        ({"markdown": " "}, 400, "must have text"),
        ({"toPersonEmail": "mina@example.com"}, 400, "Give one of"),
        ({"roomId": "nowhere"}, 404, "Could not find a space"),
        ({"roomId": "", "toPersonEmail": "nobody@example.com"}, 404, "Could not find a person"),
        ({"parentId": "none"}, 400, "parent message"),
        ({"attachments": [{"contentType": "text/html"}]}, 400, "Only one card"),
    ],
)
async def test_what_a_bot_may_not_post(
    cloud: SimulatedWebex, client: Client, change: dict[str, Any], status: int, said: str
) -> None:
    room = cloud.world.direct_room(cloud.world.add_person("민아", "mina@example.com"))
    answered, body = await client.ask("POST", "messages", {"roomId": room.id, "markdown": "네"} | change)
    assert (answered, said in body["message"]) == (status, True)
    assert cloud.world.messages == {}
    assert (await client.ask("POST", "messages", [1]))[0] == 400


async def test_a_reply_to_a_reply_is_refused(cloud: SimulatedWebex, client: Client) -> None:
    mina = cloud.world.add_person("민아", "mina@example.com")
    first = cloud.world.say(mina, cloud.world.direct_room(mina), "도움말")
    body = {"roomId": first.room.id, "markdown": "네", "parentId": first.id}
    status, reply = await client.ask("POST", "messages", body)
    assert (status, reply["parentId"]) == (200, first.id)
    assert (await client.ask("POST", "messages", body | {"parentId": reply["id"]}))[0] == 400


async def test_lists_have_pages_and_a_group_shows_only_mentions(cloud: SimulatedWebex, client: Client) -> None:
    mina = cloud.world.add_person("민아", "mina@example.com")
    group, direct = cloud.world.group_room("상담팀", mina), cloud.world.direct_room(mina)
    hidden = cloud.world.say(mina, group, "우리끼리")
    meant = [cloud.world.say(mina, group, f"말 {number}", mention=True).id for number in range(5)]
    assert (await client.ask("GET", "messages", roomId=group.id))[0] == 403
    assert (await client.ask("GET", f"messages/{hidden.id}"))[0] == 404
    query = {"roomId": group.id, "mentionedPeople": "me", "max": "2"}
    found = []
    for cursor in ("0", "2", "4"):
        _, page = await client.ask("GET", "messages", cursor=cursor, **query)
        found += [one["id"] for one in page["items"]]
    assert found == meant[::-1]
    _, rooms = await client.ask("GET", "rooms", sortBy="lastactivity")
    assert {room["id"] for room in rooms["items"]} == {group.id, direct.id}
    assert (await client.ask("GET", "rooms", type="direct"))[1]["items"][0]["title"] == "민아"


async def test_a_stranger_is_refused(cloud: SimulatedWebex) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"{cloud.url}/people/me") as response:
        assert response.status == 401
        assert "access token" in (await response.json())["message"]


@pytest_asyncio.fixture
async def demo() -> AsyncIterator[DemoWebex]:
    made = DemoWebex()
    await made.start()
    yield made
    await made.stop()


async def test_the_chat_page_calls_roles_as_a_file_of_people_does(demo: DemoWebex) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"{demo.address}/chat/people") as response:
        shown = await response.json()
    words = {one["email"]: one["about"].rpartition(", ")[2] for one in shown["people"]}
    for person in PEOPLE:
        file = read_people(f"이메일,역할\n{person.email},{words[person.email]}\n".encode())
        assert [line.role for line in file.people] == [person.role]


async def test_the_bot_knows_where_the_console_is(demo: DemoWebex) -> None:
    assert demo.config("http://127.0.0.1:8000").console_url == "http://127.0.0.1:8000"


async def test_the_chat_page_lets_nobody_do_what_its_people_could_not(demo: DemoWebex) -> None:
    world = demo.world
    mina, stranger = world.find_person("mina@example.com"), world.find_person("guest@example.net")
    assert mina is not None
    assert stranger is not None
    group = next(room for room in world.rooms.values() if room.type == "group")
    card = world.post(world.bot, group, markdown="고르세요", attachments=[{"content": {}}])
    room, action = f"/chat/rooms/{group.id}", f"/chat/actions/{card.id}"
    tries: list[tuple[str, Any, int]] = [
        (room, {"person": mina.id, "text": "안녕"}, 200),
        (room, {"person": mina.id, "text": " "}, 400),
        (room, {"person": mina.id, "text": 1}, 400),
        (room, {"person": stranger.id, "text": "안녕"}, 400),
        (room, {"person": world.bot.id, "text": "안녕"}, 400),
        (room, [1], 400),
        ("/chat/rooms/none", {"person": mina.id, "text": "안녕"}, 404),
        (action, {"person": mina.id, "inputs": {"choice": "1"}}, 200),
        (action, {"person": mina.id, "inputs": "1"}, 400),
        (action, {"person": stranger.id, "inputs": {}}, 400),
        ("/chat/actions/none", {"person": mina.id, "inputs": {}}, 400),
    ]
    async with aiohttp.ClientSession(demo.address) as http:
        for path, body, status in tries:
            async with http.post(path, json=body) as response:
                assert (path, body, response.status) == (path, body, status)
        async with http.post(room, data=b'{"person":"x"}', headers={"Content-Type": "text/plain"}) as response:
            assert response.status == 415
        async with http.post(room, data=b"{", headers={"Content-Type": "application/json"}) as response:
            assert response.status == 400
        async with http.get("/") as response:
            assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert [one.text for one in world.messages.values()] == ["고르세요", "안녕"]
    assert len(world.actions) == 1
