"""Moments as people write them behind an option."""

from __future__ import annotations

import argparse
import re
import time
from datetime import datetime
from typing import Final

_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


def moment(text: str) -> float:
    """Unix seconds of a moment (``2026-01-31T09:00``), or of one so long ago (``30m``, ``12h``, ``7d``).

    Raises ``argparse.ArgumentTypeError``.
    """
    ago = re.fullmatch(r"(\d+)([smhd])", text)
    if ago is not None:
        return time.time() - int(ago[1]) * _UNITS[ago[2]]
    try:
        return datetime.fromisoformat(text).astimezone().timestamp()
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is no time: give 30m, 12h, 7d or 2026-01-31T09:00") from None
