from __future__ import annotations

import asyncio
import time

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from daemon.chatbot.contract import MessengerAwayError
from daemon.chatbot.webex.api import BotUnknownError, WebexApi, WebexRefusedError
from daemon.config import WebexConfig
from daemon.demo.webex_cloud import BOT_EMAIL, SimulatedWebex
from daemon.demo.webex_faults import DROPPED, HELD


def asked(cloud: SimulatedWebex, method: str, path: str) -> int:
    return cloud.requests.count((method, f"/v1/{path}"))


async def test_all_pages_of_a_list_are_read_and_no_more_than_is_wanted(cloud: SimulatedWebex, api: WebexApi) -> None:
    for number in range(230):
        cloud.world.add_hook(f"hook-{number}", "https://bot.example.com", "messages", "created")
    assert [hook.name for hook in await api.hooks()] == [f"hook-{number}" for number in range(230)]
    assert asked(cloud, "GET", "webhooks") == 3
    mina = cloud.world.add_person("민아", "mina@example.com")
    room = cloud.world.direct_room(mina)
    said = [cloud.world.say(mina, room, f"말 {number}") for number in range(150)]
    [found] = await api.rooms(until=lambda _: False, most=10)
    assert (found.id, found.type) == (room.id, "direct")
    newest = await api.messages(found, until=lambda one: one.id == said[20].id, most=1_000)
    assert [one.id for one in newest] == [one.id for one in reversed(said[21:])]
    assert len(await api.messages(found, until=lambda _: False, most=7)) == 7


async def test_a_group_room_shows_the_bot_what_mentions_it(cloud: SimulatedWebex, api: WebexApi) -> None:
    mina = cloud.world.add_person("민아", "mina@example.com")
    group = cloud.world.group_room("상담팀", mina)
    cloud.world.say(mina, group, "우리끼리")
    meant = cloud.world.say(mina, group, "도움말", mention=True)
    [room] = await api.rooms(until=lambda _: False, most=10)
    assert [one.id for one in await api.messages(room, until=lambda _: False, most=10)] == [meant.id]


async def test_a_list_without_an_end_is_no_list(cloud: SimulatedWebex, api: WebexApi) -> None:
    link = f'<{cloud.url}/webhooks?cursor=0>; rel="next"'

    async def same_again(request: web.Request, handler: object) -> web.Response:
        return web.json_response({"items": []}, headers={"Link": link})

    cloud.faults.answer = same_again  # type: ignore[method-assign]
    async with asyncio.timeout(60):
        with pytest.raises(MessengerAwayError, match="no end"):
            await api.hooks()


@pytest.mark.parametrize("header", ["0", "soon", "", "-5", "Thu, 01 Jan 1970 00:00:00 GMT", None])
async def test_what_comes_too_fast_is_asked_again_whatever_retry_after_says(
    cloud: SimulatedWebex, api: WebexApi, header: str | None
) -> None:
    headers = {} if header is None else {"Retry-After": header}
    cloud.faults.add(429, times=2, headers=headers)
    assert (await api.me()).emails == [BOT_EMAIL]
    assert api.retries == 2
    assert api.problem == ""


async def test_who_is_to_come_back_much_later_is_told_so_at_once(cloud: SimulatedWebex, api: WebexApi) -> None:
    cloud.faults.add(429, headers={"Retry-After": "120"})
    with pytest.raises(MessengerAwayError, match="HTTP 429") as raised:
        await api.me()
    assert raised.value.after == 120.0
    cloud.faults.add(503, headers={"Retry-After": "999999999"})
    with pytest.raises(MessengerAwayError) as raised:
        await api.me()
    assert raised.value.after == 3600.0
    assert asked(cloud, "GET", "people/me") == 2


@pytest.mark.parametrize("status", [500, 502, 503, 504, DROPPED])
async def test_what_only_reads_is_asked_again(cloud: SimulatedWebex, api: WebexApi, status: int) -> None:
    cloud.faults.add(status, times=2)
    assert (await api.me()).emails == [BOT_EMAIL]
    cloud.faults.add(status, times=100)
    with pytest.raises(MessengerAwayError) as raised:
        await api.me()
    assert not raised.value.is_posted_unknown
    assert api.problem == str(raised.value)


@pytest.mark.parametrize("status", [500, 502, 503, 504, DROPPED])
async def test_a_message_that_may_have_been_taken_is_not_posted_again(
    cloud: SimulatedWebex, api: WebexApi, status: int
) -> None:
    room = cloud.world.direct_room(cloud.world.add_person("민아", "mina@example.com"))
    cloud.faults.add(status, method="POST", is_done=True)
    with pytest.raises(MessengerAwayError) as raised:
        await api.post({"roomId": room.id, "markdown": "안녕하세요"})
    assert raised.value.is_posted_unknown
    assert cloud.world.said_by_bot() == ["안녕하세요"]
    assert asked(cloud, "POST", "messages") == 1


@pytest.mark.parametrize(("status", "headers"), [(429, {}), (503, {"Retry-After": "0"})])
async def test_a_message_that_was_turned_away_is_posted_again(
    cloud: SimulatedWebex, api: WebexApi, status: int, headers: dict[str, str]
) -> None:
    room = cloud.world.direct_room(cloud.world.add_person("민아", "mina@example.com"))
    cloud.faults.add(status, method="POST", times=2, headers=headers)
    posted = await api.post({"roomId": room.id, "markdown": "안녕하세요"})
    assert list(cloud.world.messages) == [posted]


async def test_a_webex_that_answers_nothing_or_is_not_there(cloud: SimulatedWebex) -> None:
    hasty = WebexApi(WebexConfig(api_url=cloud.url, timeout=0.2), cloud.token, clock=time.time)
    cloud.faults.add(HELD, method="POST")
    with pytest.raises(MessengerAwayError, match="did not answer") as raised:
        await hasty.post({"toPersonEmail": "mina@example.com", "markdown": "안녕하세요"})
    assert raised.value.is_posted_unknown
    await hasty.close()
    await cloud.stop()
    with pytest.raises(MessengerAwayError, match="cannot be reached") as raised:
        await hasty.post({"toPersonEmail": "mina@example.com", "markdown": "안녕하세요"})
    assert not raised.value.is_posted_unknown
    await hasty.close()


async def test_a_token_that_webex_does_not_know_is_said_and_never_shown(cloud: SimulatedWebex) -> None:
    stranger = WebexApi(WebexConfig(api_url=cloud.url), "a-token-of-nobody", clock=time.time)
    with capture_logs() as logs, pytest.raises(BotUnknownError, match="valid access token") as raised:
        await stranger.me()
    await stranger.close()
    assert asked(cloud, "GET", "people/me") == 1, "it is of no use to ask again"
    assert "a-token-of-nobody" not in f"{raised.value} {raised.value.__cause__} {logs} {stranger.problem}"


async def test_a_refusal_says_what_webex_says(cloud: SimulatedWebex, api: WebexApi) -> None:
    room = cloud.world.direct_room(cloud.world.add_person("민아", "mina@example.com"))
    with pytest.raises(WebexRefusedError, match=r"HTTP 400: Message length is limited to a maximum of 7439 bytes\."):
        await api.post({"roomId": room.id, "markdown": "가" * 2480})
    await api.post({"roomId": room.id, "markdown": "가" * 2479})
    with pytest.raises(WebexRefusedError) as refused:
        await api.message("../people/me")
    assert refused.value.is_missing
    assert api.problem == "", "a refusal is no trouble of the link"


async def test_an_answer_that_nobody_can_read(cloud: SimulatedWebex, api: WebexApi) -> None:
    cloud.faults.add(200, times=3)
    with pytest.raises(MessengerAwayError, match="no WebexPerson") as raised:
        await api.me()
    assert not raised.value.is_posted_unknown
    with pytest.raises(MessengerAwayError, match="no list"):
        await api.hooks()
    with pytest.raises(MessengerAwayError) as raised:
        await api.post({"roomId": "x", "markdown": "x"})
    assert raised.value.is_posted_unknown
    cloud.faults.add(302, headers={"Location": f"{cloud.url}/people/me"})
    with pytest.raises(WebexRefusedError, match="HTTP 302"):
        await api.message("x")
