"""Which of what we know an account is shown: whole phone numbers, or masked ones."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from daemon.accounts.account import Account


class View(StrEnum):
    """An event is encoded once for each view that somebody has."""

    FULL = "full"
    MASKED = "masked"


def view_for(account: Account, full_numbers: Literal["viewer", "operator", "admin", "nobody"]) -> View:
    """The view of ``account`` where ``full_numbers`` is the least role that sees whole numbers."""
    return View.FULL if full_numbers != "nobody" and account.may(full_numbers) else View.MASKED
