"""The password of the mail server as it is stored: encrypted with a key from the credentials (AES-256 in GCM)."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION: Final = "1."
_NONCE: Final = 12


class UnsealableError(Exception):
    """None of the keys opens it, or it was sealed for something else."""


def new_key() -> str:
    """A key as the secret holds it: 256 random bits in base64."""
    return base64.b64encode(AESGCM.generate_key(256)).decode()


class Seals:
    """Seals with the first of ``keys``, 32 bytes each, and opens with any of them: so a key is changed for another."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = [AESGCM(key) for key in keys]

    def __bool__(self) -> bool:
        """Whether there is a key."""
        return bool(self._ciphers)

    def seal(self, text: str, bound_to: str) -> str:
        """``text`` for the store. It can be opened for ``bound_to`` alone: whoever may write there cannot make it be
        sent to a server of their own. There must be a key."""
        nonce = os.urandom(_NONCE)
        sealed = self._ciphers[0].encrypt(nonce, text.encode(), bound_to.encode())
        return _VERSION + base64.b64encode(nonce + sealed).decode()

    def open(self, sealed: str, bound_to: str) -> str:
        """What was sealed. Raises :class:`UnsealableError`."""
        if not sealed.startswith(_VERSION):
            raise UnsealableError
        try:
            raw = base64.b64decode(sealed.removeprefix(_VERSION), validate=True)
        except binascii.Error as error:
            raise UnsealableError from error
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(raw[:_NONCE], raw[_NONCE:], bound_to.encode()).decode()
            except (InvalidTag, ValueError):
                continue
        raise UnsealableError
