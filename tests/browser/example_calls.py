"""A busy quarter of an hour in a call centre that does not exist, for pictures of the console."""

from __future__ import annotations

import time

from daemon.calls.call import AppState, CallState, Disposition, LegState
from daemon.calls.events import Direction
from daemon.transcripts.utterance import Speaker
from tests.browser.console_server import ConsoleServer, call, leg
from web.payloads import CallPayload

WATCHED = "watched"
"""The call with a dialogue."""

INTERIM = "네 고객님 지금 바로 보내 드릴게요 혹시 더"

# Who, what, seconds of silence before it, and the vendor.
_DIALOGUE = (
    (Speaker.APP, "안녕하세요. 해오름 고객센터입니다. 상담을 위해 통화 내용이 기록됩니다.", 0.0, "speak"),
    (Speaker.APP, "hold_music_short.wav", 0.5, "playback"),
    (Speaker.CALLEE, "감사합니다. 해오름 고객센터입니다. 무엇을 도와드릴까요?", 2.0, "mindslab"),
    (Speaker.CALLER, "네 안녕하세요 어제 주문한 정수기 필터 배송이 아직 안 와서요", 1.0, "mindslab"),
    (Speaker.CALLER, "언제쯤 받을 수 있는지 알고 싶어서 전화드렸어요", 0.8, "mindslab"),
    (Speaker.CALLEE, "불편을 드려 죄송합니다. 주문하신 분 성함과 주문 번호를 말씀해 주시겠어요?", 1.2, "mindslab"),
    (Speaker.CALLER, "주문 번호가 이천이십사 칠칠삼공이요", 1.6, "mindslab"),
    (Speaker.CALLEE, "네", 0.6, "mindslab"),
    (Speaker.CALLEE, "잠시만 기다려 주세요. 확인해 보겠습니다.", 0.7, "mindslab"),
    (
        Speaker.CALLEE,
        "확인되었습니다. 어제 저녁에 출고되었고 내일 오전 중에 받으실 수 있을 것 같은데 혹시 받으시는 장소에 계실까요? "
        "안 계시면 경비실이나 문 앞 등 원하시는 곳을 말씀해 주시면 배송 메모에 남겨 두겠습니다.",
        6.0,
        "mindslab",
    ),
    (Speaker.CALLER, "아 그래요? 내일 오전이면 괜찮아요", 1.0, "mindslab"),
    (Speaker.CALLER, "그런데 필터 교체 방법을 잘 몰라서요 제가 직접 할 수 있나요", 2.4, "mindslab"),
    (Speaker.CALLEE, "직접 하실 수 있습니다. 문자로 동영상 주소를 보내 드리겠습니다.", 1.1, "mindslab"),
    (Speaker.CALLER, "네 그럼 문자로 부탁드립니다", 0.9, "mindslab"),
)

LED = "led"
"""A call that an app leads."""

FAILED = "failed"
"""One whose app has raised."""

# Caller, name, state, DID, callee, code, seconds since it came in, seconds since the answer.
_OTHERS = (
    ("010****1209", "", CallState.RINGING, "15880000", "15880000", "", 4, None),
    ("0312345678", "해오름아파트 관리사무소 민원 접수 담당", CallState.PARKED, "15880000", "", "voice-guide", 31, None),
    ("0262345678", "", CallState.ACTIVE, "0212345678", "", "inbound-survey", 65, 60),
    ("01077778888", "이서연", CallState.HELD, "15880001", "1010", "order", 400, 380),
    ("07012341234", "", CallState.BRIDGED, "15880001", "1011", "", 410, 402),
    ("anonymous", "", CallState.BRIDGED, "15880001", "1044", "", 700, 690),
    ("+821055556666", "박도현", CallState.BRIDGED, "15880001", "1044", "vip", 4011, 4000),
)

_ENDED = (
    ("01088880000", Disposition.ANSWERED, "NORMAL_CLEARING", 20),
    ("01088881000", Disposition.ABANDONED, "ORIGINATOR_CANCEL", 55),
    ("01088882000", Disposition.BUSY, "USER_BUSY", 130),
)


async def fill(server: ConsoleServer) -> None:
    """Give the server calls as they are at this moment."""
    now = time.time()
    for payload in (_watched(now), *_led(now), *_others(now), *_ended(now)):
        server.calls[payload.call_id] = payload
    await _speak(server, now)
    for call_id in (LED, FAILED):
        await _speak_with_app(server, call_id, now)


def _watched(now: float) -> CallPayload:
    at = now - 110
    caller = "01023456789"
    first = leg(f"{WATCHED}-a", caller=caller, callee="15880000", at=at, state=LegState.ANSWERED, answered_at=at + 9)
    second = leg(
        f"{WATCHED}-b",
        caller=caller,
        callee="1002",
        at=at + 12,
        direction=Direction.OUTBOUND,
        state=LegState.ANSWERED,
        answered_at=at + 16,
    )
    return call(
        WATCHED,
        caller=caller,
        caller_name="김해오름",
        callee="1002",
        code="order",
        at=at,
        state=CallState.BRIDGED,
        answered_at=at + 9,
        legs=[first, second],
    )


def _led(now: float) -> list[CallPayload]:
    led = call(
        LED,
        caller="01045671234",
        code="order-app",
        at=now - 24,
        state=CallState.PARKED,
        answered_at=now - 23,
        app="flower-order",
        app_state=AppState.LISTENING,
    )
    failed = call(
        FAILED,
        caller="01045675678",
        code="order-app",
        at=now - 90,
        state=CallState.ENDED,
        answered_at=now - 89,
        ended_at=now - 30,
        hangup_cause="NORMAL_CLEARING",
        disposition=Disposition.ANSWERED,
        app="flower-order",
        app_state=AppState.FALLEN_BACK,
        app_ending="failed",
        outcome="failed",
    )
    return [led, failed]


async def _speak_with_app(server: ConsoleServer, call_id: str, now: float) -> None:
    at = now - (22 if call_id == LED else 88)
    for who, text in (
        (Speaker.APP, "해오름 꽃집입니다. 어떤 꽃을 보내 드릴까요?"),
        (Speaker.CALLER, "장미 한 다발이요"),
        (Speaker.APP, "장미 한 다발, 언제 받으시겠어요?"),
    ):
        vendor = "speak" if who is Speaker.APP else "mindslab"
        await server.say(call_id, text, tell=False, speaker=who, said_at=at, vendor=vendor)
        at += 5


def _others(now: float) -> list[CallPayload]:
    named = [
        call(
            f"other-{number}",
            caller=caller,
            caller_name=name,
            state=state,
            did=did,
            callee=callee,
            code=code,
            at=now - ago,
            answered_at=None if answered is None else now - answered,
        )
        for number, (caller, name, state, did, callee, code, ago, answered) in enumerate(_OTHERS)
    ]
    plain = [
        call(
            f"plain-{number}",
            caller=f"0109{number:03d}{number * 37:04d}",
            callee=str(1100 + number),
            state=CallState.BRIDGED,
            at=now - 800 - number * 47,
            answered_at=now - 790 - number * 47,
        )
        for number in range(6)
    ]
    return named + plain


def _ended(now: float) -> list[CallPayload]:
    return [
        call(
            f"ended-{number}",
            caller=caller,
            callee="1003",
            state=CallState.ENDED,
            at=now - 260,
            answered_at=now - 250 if disposition is Disposition.ANSWERED else None,
            ended_at=now - ago,
            hangup_cause=cause,
            disposition=disposition,
        )
        for number, (caller, disposition, cause, ago) in enumerate(_ENDED)
    ]


async def _speak(server: ConsoleServer, now: float) -> None:
    at = now - 104.0
    for who, text, silence, vendor in _DIALOGUE:
        at += silence
        lasts = 2.0 if vendor == "playback" else max(1.0, len(text) * 0.12)
        heard = who is not Speaker.APP
        side = "b" if who is Speaker.CALLEE else "a"
        await server.say(
            WATCHED,
            text,
            tell=False,
            speaker=who,
            leg_id=f"{WATCHED}-{side}",
            start=at - now + 200 if heard else None,
            end=at - now + 200 + lasts if heard else None,
            said_at=at,
            confidence=0.93 if heard else None,
            vendor=vendor,
        )
        at += lasts
    await server.say(
        WATCHED,
        INTERIM,
        final=False,
        tell=False,
        utterance_id="interim",
        speaker=Speaker.CALLEE,
        leg_id=f"{WATCHED}-b",
        said_at=now - 2,
        vendor="google",
    )
