"""The console and the chatbot call one thing by one name."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.chatbot.definition import BUILT_IN
from daemon.chatbot.services.pbx_words import KINDS
from protocols.dcmiws.diversions import DiversionKind

KOREAN, _, _ = (
    (Path(__file__).resolve().parents[2] / "web" / "console" / "src" / "i18n" / "pbx.ts")
    .read_text(encoding="utf-8")
    .partition("export const pbxEn")
)


@pytest.mark.parametrize("kind", DiversionKind)
def test_a_kind_of_call_forwarding_is_called_as_the_bot_calls_it(kind: DiversionKind) -> None:
    assert f'      {kind.name}: "{KINDS[kind]}",\n' in KOREAN


def test_call_forwarding_is_called_as_the_service_of_the_bot() -> None:
    title = BUILT_IN["forwarding"].title
    assert f'  diversions: {{\n    title: "{title}",\n' in KOREAN
    assert "착신 전환" not in KOREAN, "a word is set apart in one way"
