"""Which vendor stands behind an event subclass, and how its body is read.

To add a vendor: a module with ``SUBCLASS``, ``VENDOR`` and ``read``, and its line in ``_RESULTS``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from protocols.stt import aws, azure, brain_stt, deepgram, google, ibm, nuance
from protocols.stt.body import Body
from protocols.stt.result import Recognised, UnreadableResultError
from protocols.stt.trouble import TROUBLE

_RESULTS: Mapping[str, tuple[str, Callable[[Body], Sequence[Recognised]]]] = {
    google.SUBCLASS: (google.VENDOR, google.read),
    aws.SUBCLASS: (aws.VENDOR, aws.read),
    azure.SUBCLASS: (azure.VENDOR, azure.read),
    deepgram.SUBCLASS: (deepgram.VENDOR, deepgram.read),
    nuance.SUBCLASS: (nuance.VENDOR, nuance.read),
    ibm.SUBCLASS: (ibm.VENDOR, ibm.read),
}

SUBCLASSES: tuple[str, ...] = (brain_stt.SUBCLASS, *_RESULTS, *TROUBLE)
"""Every ``Event-Subclass`` that :func:`parse` reads: what a link subscribes to."""

_NAMES = {
    brain_stt.SUBCLASS: brain_stt.VENDOR,
    **{subclass: vendor for subclass, (vendor, _) in _RESULTS.items()},
    **{subclass: vendor for subclass, (vendor, _) in TROUBLE.items()},
}
_VENDOR_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")


def parse(subclass: str, body: Body, *, brain_sample_rate: int = 8000) -> list[Recognised]:
    """What the event says, in the order it says it: often one result, sometimes none, with ibm and aws several.

    ``body`` is the event's body, ``""`` for an event without one. ``brain_sample_rate`` is how many samples
    ``brain_stt`` counts as a second. Raises :class:`UnreadableResultError`, and nothing else, whatever the body is; for
    a subclass that is not in ``SUBCLASSES`` too.
    """
    if subclass == brain_stt.SUBCLASS:
        return [brain_stt.read(body, brain_sample_rate)]
    result = _RESULTS.get(subclass)
    if result is not None:
        return list(result[1](body))
    trouble = TROUBLE.get(subclass)
    if trouble is not None:
        return [trouble[1](body)]
    raise UnreadableResultError("unknown", "no recogniser of this subclass is known")


def vendor_of(subclass: str, header: str) -> str:
    """The vendor's name: ``header`` (``transcription-vendor``, ``""`` where the event has none) where it is a name.

    Else the one whose module sends ``subclass``; ``"unknown"`` where neither tells.
    """
    if header and _VENDOR_NAME.fullmatch(header):
        return header
    return _NAMES.get(subclass) or "unknown"
