"""What the demo's callers are asked after their calls."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

OPTIONS: Final = MappingProxyType[str, Any](
    {
        "greeting": "",
        "question": [
            {
                "name": "mark",
                "kind": "scale",
                "text": "솔바람택배입니다. 오늘 상담에 일 점에서 오 점까지 몇 점을 주시겠어요?",
            },
            {"name": "again", "kind": "yes_no", "text": "다음에도 저희에게 맡기시겠어요?"},
            {"name": "words", "kind": "words", "text": "더 하실 말씀이 있으면 들려주세요."},
        ],
    }
)
"""Of the app ``survey``. Without a greeting of its own each prompt is a question, and callers answer each."""
