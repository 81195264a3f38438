"""The synonyms that the configuration names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from protocols.synonyms import Words, read_synonyms

Meanings = Mapping[Words, frozenset[Words]]
"""What words mean, by :func:`protocols.synonyms.read_synonyms`."""


def read_meanings(path: str) -> Meanings:
    """The meanings in the file at ``path``; none for ``""``.

    Raises ``OSError`` and :class:`~protocols.synonyms.SynonymsError` for a file that ``parley check`` would have
    refused.
    """
    return read_synonyms(Path(path).read_bytes()) if path else {}
