"""Random tokens: what a browser or a machine shows to be recognised, and what is stored of it."""

from __future__ import annotations

import hashlib
import secrets

API_PREFIX = "parley_"
"""What API tokens begin with, so that scanners of leaked secrets find them."""
_BYTES = 32
_LENGTH = 43


def new_session_token() -> str:
    """256 random bits in 43 characters."""
    return secrets.token_urlsafe(_BYTES)


def new_api_token() -> str:
    """The same, behind :data:`API_PREFIX`."""
    return API_PREFIX + secrets.token_urlsafe(_BYTES)


def is_session_token(token: str) -> bool:
    """Whether ``token`` has the form of one; others need not be looked up."""
    return len(token) == _LENGTH


def is_api_token(token: str) -> bool:
    """Whether ``token`` has the form of one; others need not be looked up."""
    return token.startswith(API_PREFIX) and len(token) == len(API_PREFIX) + _LENGTH


def token_hash(token: str) -> str:
    """What is stored of a token. It is random, so one round of a fast hash keeps it as well as a slow one would."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
