"""The console has Korean words for every reason that the PBX room gives in its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.pbx.click_to_call_progress import CAUSES, REASONS, STATUSES, UNKNOWN

WORDS = Path(__file__).resolve().parents[2] / "web" / "console" / "src" / "i18n" / "pbx.ts"


@pytest.mark.parametrize("reason", sorted({*REASONS.values(), *CAUSES.values(), *STATUSES.values(), *UNKNOWN}))
def test_a_reason_has_words(reason: str) -> None:
    assert f'"{reason}": "' in WORDS.read_text(encoding="utf-8")
