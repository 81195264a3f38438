"""Whether a caller's answer means yes or no, in Korean above all.

People say 네 before a no (``네, 아닙니다``) and while they listen, so a no weighs more than a mere 네. Beside a yes
that says something (``맞아요``, ``좋아요``) it leaves the answer open, unless it turns down just that (``안 맞아요``).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

YES_NO: Final = ("네", "아니요")
"""The choices of a question that is answered by yes or no, as callers are told them."""

_WORD: Final = re.compile(r"[^\W_]+")
_MURMUR: Final = re.compile(r"(?:네|예|녜|넵|넹|응|웅|어|음)+요?")
_YES: Final = re.compile(r"(?:그래|그렇|그럼|맞|좋|물론|당연|오케이|있).*|ok(?:ay)?|yes|yeah|yep|right|correct|sure")
_TURNED_DOWN: Final = re.compile(r"안|못|않.*|.+지않.*|not")
_NO: Final = re.compile(r"(?:아니|아뇨|아닌|아닙|아녜|아녀|싫|틀|없).*|노|노노|.*말고.*|no|nope|wrong")


def yes_or_no(text: str) -> bool | None:
    """What ``text`` means; ``None`` where that is open. Any text will do."""
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    if any(_TURNED_DOWN.fullmatch(word) for word in words):
        return False
    says_no = any(_NO.fullmatch(word) for word in words)
    says_yes = any(_YES.fullmatch(word) for word in words)
    if says_no:
        return None if says_yes else False
    if says_yes:
        return True
    # A murmur is a yes only where it is all that was said, or what was said begins with it.
    return True if words and _MURMUR.fullmatch(words[0]) and words[0] not in ("어", "음") else None


def after_no(text: str) -> str:
    """What follows the no that ``text`` begins with (``아니요, 인사팀이요``); ``""`` where nothing does."""
    found = re.match(r"\s*(?:(?:네|예|어|음)[\s,.]+)*(?:아니\w*|아뇨|노|no)[\s,.!?]*", text, re.IGNORECASE)
    return text[found.end() :].strip() if found is not None else ""
