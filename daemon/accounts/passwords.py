"""Passwords: their rules, and their argon2 hashes, computed where they do not stall the calls."""

from __future__ import annotations

import asyncio
import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from daemon.accounts.errors import PasswordRefusedError

SHORTEST = 12
LONGEST = 1024

# RFC 9106's second recommendation, on one lane: more lanes would only take more cores from the calls at once.
DEFAULT_HASHER = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1)


def check_password(name: str, password: str) -> None:
    """Refuse a password that is too short, too long or the user's name.

    Length is what makes a password strong; rules of composition only make it hard to keep (NIST SP 800-63B). Raises
    :class:`PasswordRefusedError`.
    """
    if len(password) < SHORTEST:
        raise PasswordRefusedError(f"a password has at least {SHORTEST} characters; several words make a good one")
    if len(password) > LONGEST:
        raise PasswordRefusedError(f"a password has at most {LONGEST} characters")
    if name and password.casefold().replace(name, "").strip() == "":
        raise PasswordRefusedError("a password is something else than the name")
    if len(set(password)) < 4:
        raise PasswordRefusedError("a password of so few different characters is guessed at once")


class Passwords:
    """Hashes and verifies, one at a time and in a thread: 64 MiB and a tenth of a second of one core each."""

    def __init__(self, hasher: PasswordHasher = DEFAULT_HASHER) -> None:
        self._hasher = hasher
        self._turn = asyncio.Semaphore(1)
        self._nobody = ""

    async def hash(self, password: str) -> str:
        """The hash to store."""
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, _normal(password))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether ``password`` is the one of ``password_hash``.

        ``None``, for a name nobody has, takes as long as a wrong password and is false.
        """
        if len(password) > LONGEST:
            return False
        async with self._turn:
            return await asyncio.to_thread(self._verify, password_hash, _normal(password))

    def needs_rehash(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters than new ones are."""
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str | None, password: bytes) -> bool:
        if password_hash is None and not self._nobody:
            self._nobody = self._hasher.hash(secrets.token_urlsafe(32))
        try:
            self._hasher.verify(password_hash or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None


def _normal(password: str) -> bytes:
    """One form for what keyboards write in several: a Hangul syllable may come composed or as its letters."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
