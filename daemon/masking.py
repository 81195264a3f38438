"""What may not stand in a log line: whole phone numbers, secrets, and what people said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

WITHHELD_KEYS: Final = frozenset(
    {
        "args",
        "authorization",
        "body",
        "cookie",
        "credential",
        "parameters",
        "params",
        "password",
        "passwd",
        "secret",
        "session_token",
        "text",
        "token",
        "transcript",
        "utterance",
    }
)
"""Fields whose value is never logged, whatever it is."""

WITHHELD: Final = "[withheld]"

# Longer words of digits and letters are tried first and left alone: a UUID, a hash, a measurement. Then numbers written
# in groups whose last has four digits (010-1234-5678, +82 10 1234 5678, (02) 123.4567), and 9 to 15 digits in a row,
# with or without a plus. Longer runs of digits are microseconds or sizes.
_TOKEN: Final = re.compile(
    r"""
    (?P<word> \b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b
            | \b(?=[0-9a-f]*[a-f])[0-9a-f]{16,}\b
            | (?<![\d.])\d{1,5}\.\d+(?![\d.-])
            | (?<![\d.])1[5-9]\d{8}\.\d+(?![\d.])
    )
    | (?P<grouped> (?<![\d.:])(?<!\d-) \(? (?: \+?\d{1,3} \)? [ .\u2013-] )? \(? 0? \)? [1-9]?\d{1,2}
                   (?: \)[ ]? | [ .\u2013-] )
                   \d{3,4} [ .\u2013-] \d{4} (?![\d:]) )
    | (?P<run> (?<!\d) \+?\d{9,15} (?!\d) )
    """,
    re.VERBOSE,
)

# Unix time in seconds and in milliseconds, from 2017 to 2033. A mobile number without its zero begins with 10 or 11.
_UNIX_TIME: Final = re.compile(r"1[5-9]\d{8}(?:\d{3})?")


def mask_numbers(text: str) -> str:
    """``text`` with everything in it that may be a phone number masked: ``01012345678`` → ``010****5678``."""
    return _TOKEN.sub(_masked, text) if len(text) > 8 else text


def _masked(found: re.Match[str]) -> str:
    if found["word"] or _UNIX_TIME.fullmatch(found[0]):
        return found[0]
    digits = re.sub(r"\D", "", found[0])
    return f"{digits[:3]}****{digits[-4:]}"


def clean(value: Any) -> Any:
    """``value``, and what is inside it, as it may be logged. Anything but text and containers passes unchanged."""
    if isinstance(value, str):
        return mask_numbers(value)
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, Mapping):
        return {key: WITHHELD if key in WITHHELD_KEYS else clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(item) for item in value]
    return value if value is None or isinstance(value, int | float) else mask_numbers(str(value))
