"""What the demo's callers say to call apps of Parley's: it answers, speaks and listens, they wait for it."""

from __future__ import annotations

from daemon.demo.dialogues import callee, caller
from daemon.demo.script import HangUp, Keys, Listen, Reach, Script

ECHO_CODE = "echo-app"

ECHO = Script(
    "echo",
    "07000001010",
    ECHO_CODE,
    (
        Listen(),
        caller("여보세요, 제 말 들리세요?"),
        Listen(),
        caller("그대로 따라 하시네요."),
        Listen(),
        Keys("1234"),
        Listen(),
        caller("네, 잘 들었습니다. 안녕히 계세요."),
        Listen(),
        HangUp("caller"),
    ),
    led=True,
)

DIRECTORY_CODE = "directory-app"

DIRECTORY = Script(
    "directory",
    "07000001011",
    DIRECTORY_CODE,
    (
        Listen(),
        caller("저기, 연차 좀 내려고 하는데요."),
        Listen(),
        caller("네, 맞아요."),
        Reach(),
        callee("네, 인사팀 휴가 담당입니다."),
        caller("다음 주 금요일에 연차를 쓰고 싶습니다."),
        callee("성함과 사번을 말씀해 주시면 바로 올려 드릴게요."),
        caller("사번은 삼사오육입니다."),
        callee("네, 신청되었습니다."),
        caller("고맙습니다."),
        HangUp("caller"),
    ),
    led=True,
)

EXTENSION = Script(
    "extension",
    "07000001011",
    DIRECTORY_CODE,
    (
        Listen(),
        Keys("7200"),
        Reach(),
        callee("전산지원팀입니다."),
        caller("프린터가 또 말을 안 들어요."),
        callee("몇 층이신가요? 바로 올라가겠습니다."),
        caller("삼 층이요, 감사합니다."),
        HangUp("caller"),
    ),
    led=True,
)

SURVEY_CODE = "survey-app"

SURVEY = Script(
    "survey",
    "07000001012",
    SURVEY_CODE,
    (
        Listen(),
        caller("음, 사 점 드릴게요."),
        Listen(),
        caller("네, 그럴게요."),
        Listen(),
        caller("조금만 더 일찍 와 주시면 좋겠어요."),
        Listen(),
        HangUp("caller"),
    ),
    led=True,
)

STOPS_ANSWERING = Script(
    "stops-answering",
    "07000001012",
    SURVEY_CODE,
    (Listen(), Keys("2"), Listen(), HangUp("caller")),
    led=True,
)

LED = (ECHO, DIRECTORY, EXTENSION, SURVEY, STOPS_ANSWERING)
"""Calls that a call app of Parley's leads: with nobody there, the callers give up."""


def visit(code: str) -> Script:
    """Somebody who calls the app of that code, whatever it is, and says something to everything that it says."""
    return Script(
        f"visit-{code}",
        "07000001011",
        code,
        (
            Listen(),
            caller("여보세요?"),
            Listen(),
            caller("네."),
            Listen(),
            Keys("1"),
            Listen(),
            caller("상담원 연결해 주세요."),
            Listen(),
            HangUp("caller"),
        ),
        led=True,
    )
