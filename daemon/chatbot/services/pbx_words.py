"""What the PBX says, in Korean: the kinds of call forwarding, and why something was not done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from daemon.pbx.contract import (
    PbxError,
    PbxRefused,
    PbxTimeout,
    PbxUnavailable,
    TooManyCalls,
    UnknownTenant,
    UsageError,
)
from protocols.dcmiws.diversions import DiversionKind

NO_EXTENSION: Final = "등록된 내선이 없어 할 수 없습니다. 관리자에게 내선 등록을 요청해 주십시오."

KINDS: Final[Mapping[DiversionKind, str]] = {
    DiversionKind.IMMEDIATE: "무조건",
    DiversionKind.BUSY: "통화 중일 때",
    DiversionKind.NO_ANSWER: "받지 않을 때",
    DiversionKind.UNAVAILABLE: "연결되지 않을 때",
}
"""When calls are forwarded, as people are told and may say it."""


def why_not(error: PbxError) -> str:
    """Why something was not done, or may have been, for the person who asked for it."""
    match error:
        case UnknownTenant():
            return "교환기에서 이 내선을 찾지 못했습니다. 관리자에게 문의해 주십시오."
        case UsageError():
            return "그 번호로는 할 수 없습니다."
        case TooManyCalls():
            return "한 시간에 걸 수 있는 횟수를 넘었습니다. 나중에 다시 해 주십시오."
        case PbxRefused():
            return "교환기가 거절했습니다. 관리자에게 문의해 주십시오."
        case PbxUnavailable(sent=False):
            return "지금은 교환기에 연결되지 않습니다. 아무것도 바뀌지 않았습니다. 잠시 뒤에 다시 해 주십시오."
        case PbxUnavailable() | PbxTimeout():
            return "교환기가 제때 답하지 않았습니다. 되었는지 확실하지 않으니 다시 확인해 주십시오."
    return "교환기에서 끝내지 못했습니다. 다시 확인해 주십시오."
