"""The app ``relay``: apps of others lead calls of the simulated switch over real WebSockets."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from daemon.callapps.contract import AppCall
from daemon.callapps.understanding import korean
from daemon.config import CallAppsConfig
from daemon.demo.call import SimulatedCall
from daemon.demo.switch import SimulatedSwitch
from daemon.secrets import Secrets
from tests.daemon.callapps.apps.relay_server import SECRET, Conversation, Lead, relay_server
from tests.daemon.callapps.conftest import Answer
from tests.daemon.callapps.phone import ANNOUNCEMENT, PERSON, Phone, apps, ended

CALLER = "01012345678"
NOTICE = "이 통화는 사람이 아닌 인공지능이 응대합니다."
GREETING = "안녕하세요, 들꽃 꽃집입니다."
LONG = "가게로 오시는 길을 자세히 알려 드리겠습니다 " * 6
SECRETS = Secrets({"PARLEY_CALLAPP_ORDER_SECRET": SECRET})


def relayed(url: str, *, recordings: dict[str, str] | None = None, **options: Any) -> CallAppsConfig:
    """A configuration whose app is the one at ``url``."""
    options = {"url": url, "private_networks": ["127.0.0.0/8"], **options}
    return apps(use="relay", options=options, recordings=recordings or {})


async def unused(call: AppCall) -> None:
    raise AssertionError("this call is for the relay")


class Relaying:
    """A Parley that lets an app behind a relay lead calls."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone

    async def ring(self, **who: Any) -> SimulatedCall:
        return await self.phone.ring(caller=CALLER, did="07000001001", **who)

    async def reached(self, call: SimulatedCall, number: str = PERSON) -> None:
        """Wait until the caller talks to whoever has that number."""
        await self.phone.following.until(lambda: self.phone.following.state(call.leg_id) == "bridged")
        assert call.leg.bridged is not None
        assert call.leg.bridged.profile.destination == number
        await self.phone.idle()
        assert call.leg.listening == []


@pytest.fixture
def relaying(answer: Answer) -> Any:
    async def begin(config: CallAppsConfig, secrets: Secrets = SECRETS) -> Relaying:
        return Relaying(await answer(unused, config, understand=korean, secrets=secrets))

    return begin


async def asking(conversation: Conversation) -> None:
    """An app that asks and asks."""
    while True:
        await conversation.ask("무엇을 도와드릴까요?")


async def order_flowers(conversation: Conversation) -> None:
    assert (await conversation.say(GREETING))["type"] == "said"
    flower = await conversation.ask("어떤 꽃을 찾으세요?", choices=["장미", "튤립", "백합"])
    count = await conversation.ask(f"{flower['choice']}는 몇 송이 드릴까요?")
    pay = await conversation.ask("요금은 선불인가요, 착불인가요?", choices=["선불", "착불"])
    assert pay["confirm"] is True
    sure = await conversation.ask(f"{pay['choice']}, 맞으세요?", choices=["네", "아니요"])
    assert sure["choice"] == "네"
    address = await conversation.ask("어디로 보내 드릴까요?", expect="address", label="배송지")
    assert address["address"] == {"status": "unavailable"}
    assert (await conversation.ask("더 필요하신 것은 없으세요?"))["silence"] is True
    await conversation.hang_up(f"{flower['choice']} {count['text']} 송이, {address['text']}로 보내 드리겠습니다.")


async def test_flowers_are_ordered(relaying: Any) -> None:
    async with relay_server(order_flowers) as app:
        parley = await relaying(relayed(app.url, app_id="flower-shop", tenant_id="t-1", org_id="o-1"))
        phone = parley.phone
        with capture_logs() as logs:
            call = await parley.ring()
            for prompt, says in (
                ("어떤 꽃을 찾으세요?", "빨간 장미요"),
                ("장미는 몇 송이 드릴까요?", ""),
                ("요금은 선불인가요, 착불인가요?", "참불이요"),
                ("착불, 맞으세요?", "네 맞아요"),
                ("어디로 보내 드릴까요?", "샛별동 십이 번지"),
            ):
                await phone.until_said(call, prompt)
                await (call.say(says) if says else call.dtmf("12"))
            assert await ended(call) == "NORMAL_CLEARING"
            conversation = await app.ended()
        await phone.until_outcome(call, "completed")
    assert phone.said(call) == [
        *(NOTICE, GREETING, "어떤 꽃을 찾으세요?", "빨간 장미요", "장미는 몇 송이 드릴까요?"),
        *("요금은 선불인가요, 착불인가요?", "참불이요", "착불, 맞으세요?", "네 맞아요", "어디로 보내 드릴까요?"),
        *("샛별동 십이 번지", "더 필요하신 것은 없으세요?", "장미 12 송이, 샛별동 십이 번지로 보내 드리겠습니다."),
    ]
    assert conversation.setup == {
        **{"type": "setup", "turn": 1, "version": 1, "callId": phone.call(call).call_id, "appId": "flower-shop"},
        **{"tenantId": "t-1", "orgId": "o-1", "did": "07000001001", "noticePlayed": True},
    }
    assert conversation.headers["X-DVG-App-Id"] == "flower-shop"
    assert conversation.headers["X-DVG-Call-Id"] == phone.call(call).call_id
    assert [one["turn"] for one in conversation.got] == list(range(1, 10))
    prompts = [one for one in conversation.got if one["type"] == "prompt"]
    assert [(one.get("choice"), one.get("choiceIndex"), one.get("choiceSource")) for one in prompts] == [
        *(("장미", 0, "exact"), (None, None, None), ("착불", 1, "initial"), ("네", 0, "exact")),
        *((None, None, None), (None, None, None)),
    ]
    assert conversation.end == {"type": "end", "turn": 9, "reason": "completed"}
    told = str(logs)
    for secret in (SECRET, CALLER, "장미", "샛별동", GREETING, app.url, "t-1"):
        assert secret not in told
    (ending,) = [log for log in logs if log["event"] == "relay_ended"]
    assert (ending["app"], ending["reason"], ending["log_level"]) == ("order", "completed", "info")


async def test_the_app_is_dialled_while_the_telephone_rings(relaying: Any) -> None:
    rings: list[bool] = []
    calls: list[SimulatedCall] = []

    def refuse(*_: Any) -> None:
        rings.append(calls[0].leg.times.answered == 0)

    async with relay_server(asking, refuse=refuse) as app:
        parley = await relaying(relayed(app.url, tell_caller=True))
        call = await parley.phone.switch.call(code="order-app", caller=CALLER)
        calls.append(call)
        await call.park()
        await parley.phone.until_said(call, "무엇을 도와드릴까요?")
        assert rings == [True]
        assert (app.calls[0].setup["caller"], app.calls[0].setup["appId"]) == (CALLER, "order")
        await call.hang_up()
        assert (await app.ended()).end["reason"] == "caller_hangup"
        await parley.phone.until_outcome(call, "hung_up")


async def test_the_app_knows_a_call_by_one_id(relaying: Any) -> None:
    phones: list[Phone] = []

    def refuse(*_: Any) -> None:
        """While the app is dialled, the store turns out to know the call by another id."""
        registry = phones[0].following.registry
        (call,) = registry.calls()
        registry.rekey(call.call_id, "019c0000-0000-7000-8000-000000000001")

    async with relay_server(asking, refuse=refuse) as app:
        parley = await relaying(relayed(app.url))
        phones.append(parley.phone)
        call = await parley.ring()
        await parley.phone.until_said(call, "무엇을 도와드릴까요?")
        assert app.calls[0].setup["callId"] == app.calls[0].headers["X-DVG-Call-Id"]
        await call.hang_up()
        await app.ended()


async def test_the_caller_breaks_in(switch: SimulatedSwitch, relaying: Any) -> None:
    switch.core.speed = 1.0
    answers: list[dict[str, Any]] = []

    async def lead(conversation: Conversation) -> None:
        answers.append(await conversation.say(LONG, interruptible=True))
        answers.append(await conversation.ask("이 질문은 이미 답을 들었습니다"))
        answers.append(await conversation.ask(LONG))
        await conversation.hang_up("")

    async with relay_server(lead) as app:
        parley = await relaying(relayed(app.url, notice=""))
        call = await parley.ring()
        await parley.phone.until_saying(call, LONG.strip())
        await call.say("알아요", vendor="google", confidence=0.2)
        await parley.phone.following.until(lambda: len(parley.phone.said(call)) == 2)
        await parley.phone.until_saying(call, LONG.strip())
        await call.say("주차는 되나요")
        await ended(call)
        await app.ended()
    assert app.calls[0].setup["noticePlayed"] is False
    assert [answer["type"] for answer in answers] == ["said", "prompt", "prompt"]
    assert (answers[1]["text"], answers[1]["spokeDuringPlayback"]) == ("알아요", True)
    assert (answers[2]["text"], answers[2]["spokeDuringPlayback"]) == ("주차는 되나요", True)
    assert (answers[2]["heardVoice"], answers[2]["silence"]) == (True, False)
    assert [answer["lowConfidence"] for answer in answers[1:]] == [True, False]


async def test_the_notice_and_what_is_not_interruptible_are_heard_to_the_end(relaying: Any) -> None:
    async def lead(conversation: Conversation) -> None:
        await conversation.say(GREETING)
        await conversation.hang_up("안녕히 계세요.")

    async with relay_server(lead) as app:
        parley = await relaying(relayed(app.url))
        call = await parley.ring()
        for text in (NOTICE, GREETING):
            await parley.phone.until_saying(call, text)
            await call.say("여보세요")
        await ended(call)
        assert [one["type"] for one in (await app.ended()).got] == ["setup", "said", "end"]
    assert [text for text in parley.phone.said(call) if text != "여보세요"] == [NOTICE, GREETING, "안녕히 계세요."]


async def test_an_unsure_recogniser_is_told(relaying: Any) -> None:
    answers: list[dict[str, Any]] = []

    async def lead(conversation: Conversation) -> None:
        answers.append(await conversation.ask(GREETING))
        answers.append(await conversation.ask("네?"))
        await conversation.hang_up("")

    async with relay_server(lead) as app:
        config = relayed(app.url, low_confidence=0.4)
        config.recogniser = ""
        parley = await relaying(config)
        call = await parley.ring()
        for prompt, confidence in ((GREETING, 0.3), ("네?", 0.8)):
            await parley.phone.until_said(call, prompt)
            await call.say("국화", vendor="google", confidence=confidence)
        await ended(call)
    assert [answer["lowConfidence"] for answer in answers] == [True, False]


@pytest.mark.parametrize("number", ["1002", ""])
async def test_the_app_transfers(relaying: Any, number: str) -> None:
    async def lead(conversation: Conversation) -> None:
        await conversation.tell(type="transfer", to="0000")

    async with relay_server(lead) as app:
        parley = await relaying(relayed(app.url, transfer_to=number))
        call = await parley.ring()
        await parley.reached(call, number or PERSON)
        assert (await app.ended()).end["reason"] == "transferred"
        await parley.phone.until_outcome(call, "transferred")
        await call.hang_up()


async def refused_thrice(conversation: Conversation) -> None:
    codes = [
        (await conversation.tell(type="sing"))["code"],
        (await conversation.tell(type="say", text=" "))["code"],
    ]
    assert codes == ["unknown_type", "text_required"]
    await conversation.ask("무엇을?", choices=["하나"])


async def no_json(conversation: Conversation) -> None:
    await conversation.connection.send("say: hello")


async def leaving(conversation: Conversation) -> None:
    await conversation.connection.close()


async def breaking_off(conversation: Conversation) -> None:
    await conversation.connection.send('{"type": "ask", "text": "무엇을 도와드릴까요?"}')
    conversation.connection.transport.abort()


async def silent(conversation: Conversation) -> None:
    await conversation.hear()


async def too_large(conversation: Conversation) -> None:
    await conversation.connection.send("x" * 100_000)


async def talking(conversation: Conversation) -> None:
    while True:
        await conversation.say(GREETING)


async def speaking_out_of_turn(conversation: Conversation) -> None:
    for _ in range(4):
        await conversation.connection.send('{"type": "ask"}')


@pytest.mark.parametrize(
    ("lead", "options", "reason"),
    [
        (refused_thrice, {}, "app_error"),
        (no_json, {}, "app_error"),
        (leaving, {}, "app_error"),
        (breaking_off, {}, "app_error"),
        (silent, {"answer_within": 0.1}, "app_error"),
        (too_large, {}, "app_error"),
        (speaking_out_of_turn, {}, "app_error"),
        (talking, {"instructions": 2}, "limit"),
        (talking, {"duration": 0.5}, "limit"),
    ],
)
async def test_an_app_that_fails_its_caller(relaying: Any, lead: Lead, options: dict[str, Any], reason: str) -> None:
    async with relay_server(lead) as app:
        parley = await relaying(relayed(app.url, **options))
        with capture_logs() as logs:
            call = await parley.ring()
            await parley.reached(call)
            conversation = await app.ended()
        await parley.phone.until_outcome(call, reason)
        await call.hang_up()
    assert parley.phone.said(call)[-1] == ANNOUNCEMENT
    if lead not in (leaving, breaking_off, too_large):
        assert conversation.end["reason"] == reason
    (ending,) = [log for log in logs if log["event"] == "relay_ended"]
    assert (ending["reason"], ending["log_level"]) == (reason, "warning")
    assert [log for log in logs if log["log_level"] == "error"] == []
    assert GREETING not in str(logs)


async def test_what_cannot_be_said(relaying: Any) -> None:
    async with relay_server(talking) as app:
        parley = await relaying(relayed(app.url, recordings={GREETING: "${greeting}"}))
        call = await parley.ring()
        await parley.reached(call)
        assert (await app.ended()).end["reason"] == "voice_failed"
        await parley.phone.until_outcome(call, "voice_failed")
        await call.hang_up()


async def test_a_notice_that_cannot_be_played(relaying: Any) -> None:
    async with relay_server(talking) as app:
        parley = await relaying(relayed(app.url, recordings={NOTICE: "${notice}"}))
        call = await parley.ring()
        await parley.reached(call)
        await app.ended()
        assert [one["type"] for one in app.calls[0].got] == ["end"]
        assert app.calls[0].end["reason"] == "notice_transfer"
        await call.hang_up()


async def test_parley_stops_meanwhile(relaying: Any) -> None:
    async with relay_server(asking) as app:
        parley = await relaying(relayed(app.url))
        call = await parley.ring()
        await parley.phone.until_saying(call, "무엇을 도와드릴까요?")
        await parley.phone.room.close(0.0)
        await parley.reached(call)
        assert (await app.ended()).end["reason"] == "voice_failed"
        await parley.phone.until_outcome(call, "stopped")
        await call.hang_up()


async def test_many_calls_at_once(relaying: Any) -> None:
    async def lead(conversation: Conversation) -> None:
        heard = await conversation.ask(GREETING)
        await conversation.hang_up(f"{heard['text']}, 알겠습니다.")

    async with relay_server(lead) as app:
        config = relayed(app.url, notice="")
        config.no_input = 5.0
        parley = await relaying(config)
        calls = [await parley.ring() for _ in range(20)]
        for number, call in enumerate(calls):
            await parley.phone.until_said(call, GREETING)
            await call.say(f"{number} 번")
        for number, call in enumerate(calls):
            assert await ended(call) == "NORMAL_CLEARING"
            assert parley.phone.said(call) == [GREETING, f"{number} 번", f"{number} 번, 알겠습니다."]
        await app.ended(20)
    assert {one.end["reason"] for one in app.calls} == {"completed"}
