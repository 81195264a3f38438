"""What the bot says itself, whatever the service; and the words that mean the same to all of them."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

STRANGER: Final = (
    "죄송합니다. 등록된 분만 이용하실 수 있습니다. 이용하시려면 관리자에게 이메일 주소 등록을 요청해 주십시오."
)
TIMED_OUT: Final = "한동안 말씀이 없어 앞의 대화는 끝냈습니다."
CANCELLED: Final = "하던 일을 그만두었습니다."
NOTHING_TO_CANCEL: Final = "지금은 진행 중인 일이 없습니다."
NOTHING_BEFORE: Final = "처음이라 더 뒤로 갈 수 없습니다."
OLD_CARD: Final = "지난 카드입니다. 아무것도 바뀌지 않았습니다. 다시 하시려면 처음부터 말씀해 주십시오."
SAID_BEFORE: Final = "먼저 하신 말씀이 늦게 와서, 그 뒤에 여쭌 이 물음의 답으로는 듣지 않았습니다."
GONE: Final = "그 일은 이제 할 수 없어 대화를 끝냈습니다."
DROPPED: Final = "하던 일(**{title}**)은 그만두었습니다."
ANEW: Final = "처음부터 다시 합니다."
FAILED: Final = "지금은 끝내지 못했습니다. 잠시 뒤에 다시 해 주십시오."
WHICH: Final = "이 중에서 어떤 일인가요?"
NOT_FOUND: Final = "무슨 일인지 찾지 못했습니다."
WITHHELD: Final = "**{title}**: 지금 권한으로는 할 수 없습니다. 필요하시면 관리자에게 문의해 주십시오."
ON_OFFER: Final = "이런 일을 할 수 있습니다."
GREETING: Final = "안녕하세요."
WELCOME: Final = "도움이 되었다니 다행입니다. 더 필요하신 일이 있으면 말씀해 주십시오."
NOTHING_ON_OFFER: Final = "지금은 할 수 있는 일이 없습니다. 관리자에게 문의해 주십시오."
ALWAYS: Final = "언제든지 **취소**, **뒤로**, **도움말**이라고 하시면 됩니다."
CHOOSE: Final = "단추를 누르시거나 다음 가운데 하나를 말씀해 주십시오: {titles}"
FILL_IN: Final = "양식을 채워 보내 주십시오."

CANCEL: Final = frozenset({"취소", "취소해", "취소해줘", "취소해 줘", "취소할게요", "그만", "그만할래", "그만할게요"})
CANCEL_TOO: Final = frozenset({"cancel", "stop", "quit", "exit"})
NO: Final = frozenset({"no", "nope", "아니", "아니요", "아니오", "아뇨", "됐어", "됐어요", "됐습니다"})
BACK: Final = frozenset({"뒤로", "뒤로가기", "이전", "back"})
HELP: Final = frozenset({"도움말", "도움", "도와줘", "help", "?", "메뉴", "menu"})
GREETINGS: Final = frozenset({"안녕", "안녕하세요", "안녕하십니까", "반갑습니다", "하이", "헬로", "hi", "hello"})
THANKS: Final = frozenset(
    {"고마워", "고마워요", "고맙습니다", "감사", "감사해요", "감사합니다", "땡큐", "thanks", "thank you"}
)
"""As greetings these are no words for any service; where one is called so, it is meant."""
RESERVED: Final = CANCEL | CANCEL_TOO | NO | BACK | HELP
"""What no service can be called."""

_BLANKS: Final = re.compile(r"\s+")


def plain(text: str) -> str:
    """``text`` as it is compared with words: composed, in one letter case, without what stands around it."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    folded = _BLANKS.sub(" ", folded).strip()
    return folded if folded == "?" else folded.strip(" .,!?~/\"'")
