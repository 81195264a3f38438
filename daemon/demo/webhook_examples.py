"""What the demo's providers deliver: events of a fictional repository and of fictional calls, with example numbers."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from typing import Any, Final

import msgspec

_REPOSITORY: Final = {"id": 1001, "name": "counsel-flows", "full_name": "example/counsel-flows", "private": True}
_PEOPLE: Final = ("hana-example", "duri-example", "sena-example")
_COMMITS: Final = (
    "상담 시작 안내 문구를 짧게 바꿈",
    "야간 운영 시간 표를 고침",
    "배송 조회 실패 시 다시 묻도록 함",
    "통화 종료 인사에 설문 안내를 더함",
)
_ISSUES: Final = ("대기 음악이 두 번 재생됨", "주말 안내 문구가 평일과 같음", "상담 요약이 비어 있는 통화가 있음")
_TALKS: Final[Sequence[tuple[str, str, Sequence[tuple[str, str]]]]] = (
    (
        "배송 일정 문의. 오늘 저녁 도착 예정이라고 안내함.",
        "positive",
        (
            ("agent", "안녕하세요, 솔바람택배 인공지능 상담원입니다. 무엇을 도와드릴까요?"),
            ("user", "어제 온다던 택배가 아직 안 왔어요."),
            ("agent", "확인해 보니 오늘 저녁 여섯 시 전에 도착할 예정입니다."),
            ("user", "네, 알겠습니다. 감사합니다."),
        ),
    ),
    (
        "예약 변경. 다음 주 화요일 오후 세 시로 옮김.",
        "neutral",
        (
            ("agent", "한빛치과 예약 상담입니다. 어떤 도움이 필요하세요?"),
            ("user", "이번 주 예약을 다음 주로 미루고 싶어요."),
            ("agent", "다음 주 화요일 오후 세 시는 어떠세요?"),
            ("user", "그때가 좋겠네요."),
        ),
    ),
)


class Example(msgspec.Struct, frozen=True):
    """A delivery before it is signed: of a source of that name."""

    source: str
    headers: dict[str, str]
    body: bytes


class Examples:
    """Makes them up. ``choice`` says which."""

    def __init__(self, choice: random.Random) -> None:
        self._choice = choice

    def github(self) -> Example:
        """A push, an issue, or something of the organisation, which has no repository."""
        kind, payload = self._choice.choice((self._push, self._issue, self._member))()
        delivery_id = f"{self._choice.getrandbits(128):032x}"
        return Example("github", {"X-GitHub-Event": kind, "X-GitHub-Delivery": delivery_id}, _json(payload))

    def voxai(self) -> list[Example]:
        """The events of one call, in their order."""
        summary, sentiment, talk = self._choice.choice(_TALKS)
        duration_ms = self._choice.randrange(20_000, 90_000)
        began_ms = int(time.time() * 1000) - duration_ms
        call: dict[str, Any] = {
            "call_id": f"call-{self._choice.getrandbits(48):012x}",
            "agent": {"agent_id": "agent-example", "agent_version": "v7"},
            "call_type": "inbound",
            "from_number": f"0101234{self._choice.randrange(10_000):04}",
            "to_number": "07000000801",
            "start_at": began_ms,
            "opt_out_sensitive_data_storage": False,
        }
        ended = call | {
            "end_at": began_ms + duration_ms,
            "duration_ms": duration_ms,
            "disconnection_reason": "user_hangup",
            "transcript": [{"role": role, "content": content} for role, content in talk],
        }
        analyzed = ended | {"call_analysis": {"summary": summary, "user_sentiment": sentiment}}
        events = (("call_started", call), ("call_ended", ended), ("call_analyzed", analyzed))
        return [
            Example("voxai", {}, _json({"event": event, "webhook_version": "v2", "call": about}))
            for event, about in events
        ]

    def _push(self) -> tuple[str, dict[str, Any]]:
        after = f"{self._choice.getrandbits(160):040x}"
        person = self._choice.choice(_PEOPLE)
        commit = {"id": after, "message": self._choice.choice(_COMMITS), "author": {"username": person}}
        return "push", {"ref": "refs/heads/main", "after": after, "repository": _REPOSITORY, "commits": [commit]}

    def _issue(self) -> tuple[str, dict[str, Any]]:
        issue = {"number": self._choice.randrange(1, 400), "title": self._choice.choice(_ISSUES), "state": "open"}
        person = {"login": self._choice.choice(_PEOPLE)}
        return "issues", {"action": "opened", "issue": issue, "repository": _REPOSITORY, "sender": person}

    def _member(self) -> tuple[str, dict[str, Any]]:
        member = {"user": {"login": self._choice.choice(_PEOPLE)}, "role": "member"}
        return "organization", {
            "action": "member_added",
            "membership": member,
            "organization": {"login": "example", "description": "예시 조직"},
        }


def _json(payload: dict[str, Any]) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
