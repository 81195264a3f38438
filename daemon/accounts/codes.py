"""One-time codes: an address printed once that signs its reader in."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from daemon.config import Role

LIFETIME = 600.0
_MOST_CODES = 100


class OneTimeCode(msgspec.Struct, frozen=True, gc=False):
    """Whom a code signs in, until when (Unix seconds)."""

    name: str
    role: Role
    expires_at: float


class OneTimeCodes:
    """Codes in memory: each works once, for ten minutes, and not after a restart."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._codes: OrderedDict[str, OneTimeCode] = OrderedDict()

    def new(self, name: str, role: Role) -> str:
        """A fresh code for an account of that name and role."""
        code = secrets.token_urlsafe(24)
        self._codes[code] = OneTimeCode(name, role, self._clock() + LIFETIME)
        self._shed()
        return code

    def _shed(self) -> None:
        while len(self._codes) > _MOST_CODES:
            self._codes.popitem(last=False)

    def take(self, code: str) -> OneTimeCode | None:
        """Use a code up: whose it is, or ``None`` for one that never was, was used or is too old."""
        found = self._codes.pop(code, None)
        return None if found is None or found.expires_at <= self._clock() else found

    def give_back(self, code: str, found: OneTimeCode) -> None:
        """It could not be used: it is as good as before."""
        self._codes[code] = found
        self._shed()
