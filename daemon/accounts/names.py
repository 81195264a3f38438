"""Names of users and tokens: one spelling for each."""

from __future__ import annotations

import unicodedata
from typing import Final

from daemon.accounts.errors import NameRefusedError

LONGEST_NAME = 64
NO_SEGMENTS: Final = frozenset({".", ".."})
"""Names that no address can end in: whoever asks for one leaves them out, encoded or not (RFC 3986, 5.2.4)."""
NO_SEGMENT_RULE: Final = "a name is neither . nor .."


def normal_name(name: str) -> str:
    """The spelling that is stored and compared: without regard to case, width or surrounding white space."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def is_name(name: str) -> bool:
    """Whether a normal name is one that somebody could have."""
    if name in NO_SEGMENTS:
        return False
    return 1 <= len(name) <= LONGEST_NAME and name.isprintable() and not any(map(str.isspace, name))


def checked_name(name: str) -> str:
    """The normal spelling of a name that is about to be given. Raises :class:`NameRefusedError`."""
    name = normal_name(name)
    if name in NO_SEGMENTS:
        raise NameRefusedError(NO_SEGMENT_RULE)
    if not is_name(name):
        raise NameRefusedError(f"a name has 1 to {LONGEST_NAME} characters, none of them a space or control character")
    return name
