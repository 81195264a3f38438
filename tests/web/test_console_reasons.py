"""The console has words for every reason that the PBX and the inbox give in their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.inbox.sources import REASONS as INBOX_REASONS
from daemon.pbx.click_to_call_progress import CAUSES, REASONS, STATUSES, UNKNOWN

WORDS = Path(__file__).resolve().parents[2] / "web" / "console" / "src" / "i18n"


@pytest.mark.parametrize("reason", sorted({*REASONS.values(), *CAUSES.values(), *STATUSES.values(), *UNKNOWN}))
def test_a_reason_has_words(reason: str) -> None:
    assert f'"{reason}": "' in (WORDS / "pbx.ts").read_text(encoding="utf-8")


@pytest.mark.parametrize("reason", INBOX_REASONS)
def test_a_reason_to_refuse_a_webhook_has_words_in_both_languages(reason: str) -> None:
    assert (WORDS / "inbox.ts").read_text(encoding="utf-8").count(f'      {reason}: "') == 2
