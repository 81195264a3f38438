"""What is stored in Elasticsearch of an entry, and the definition of the index that holds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import msgspec

from daemon.directory.analysis import DESCRIBED, FURTHER_NAMED, IN_TEAM, NAMED, terms_of
from daemon.directory.contract import Entry
from daemon.directory.scoring import tie_order
from daemon.directory.vocabulary import triples
from protocols.hangul import initials, jamo, pairs

WORD_FIELDS: Final = {"named": NAMED, "further_named": FURTHER_NAMED, "in_team": IN_TEAM, "described": DESCRIBED}
"""The fields of single words, with what one of them weighs; an entry has each word in one of them."""
WHOLE_FIELDS: Final = {"whole_named": NAMED, "whole_further_named": FURTHER_NAMED}
"""The same of whole names."""
TIE_ORDER: Final = ("length", "name", "id")
"""The fields by which equals are sorted, as by :func:`daemon.directory.scoring.tie_order`."""

_NAME: Final = "elasticsearch.json"


def document_id(entry_id: str) -> str:
    """The id of the document, which unlike an entry's may not be long."""
    return blake2b(entry_id.encode(), digest_size=16).hexdigest()


def document_of(entry: Entry) -> dict[str, Any]:
    """The document of ``entry``, by the fields of the definition."""
    terms = terms_of(entry)
    both = terms.words.keys() | terms.wholes.keys()
    return {
        "kind": entry.kind,
        **dict(zip(TIE_ORDER, tie_order(entry), strict=True)),
        "entry": msgspec.to_builtins(entry),
        **dict(_by_weight(terms.words, WORD_FIELDS)),
        **dict(_by_weight(terms.wholes, WHOLE_FIELDS)),
        "parts": sorted({part for term in terms.words for part in pairs(term)}),
        "initials": sorted({part for term in both for part in pairs(initials(term))}),
        "keys": sorted({jamo(term) for term in both}),
        "triples": sorted({triple for term in both for triple in triples(jamo(term))}),
    }


def entry_of(source: Mapping[str, Any]) -> Entry:
    """The entry of what is stored of a document. Raises ``LookupError`` and ``msgspec.ValidationError``."""
    return msgspec.convert(source["entry"], Entry)


def definition() -> dict[str, Any]:
    """The settings and mappings of an index.

    The file stands in ``config/directory`` of a checkout, and beside this module in an installed wheel.
    """
    here = Path(__file__)
    installed, checkout = here.with_name(_NAME), here.parents[3] / "config" / "directory" / _NAME
    made: dict[str, Any] = msgspec.json.decode((installed if installed.exists() else checkout).read_bytes())
    return made


def _by_weight(terms: Mapping[str, float], fields: Mapping[str, float]) -> Iterator[tuple[str, list[str]]]:
    for field, weight in fields.items():
        yield field, sorted(term for term, weighs in terms.items() if weighs == weight)
