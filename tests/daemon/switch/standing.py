"""Two registries that know the same switch, held against each other as far as the wire lets them agree.

What the switch cannot tell any more to somebody who asks:

* of a call whose first leg is gone, what was known by that leg: who called, when, and where to;
* that a leg has left the park, until it executes something else: it goes on naming ``park`` as its application;
* that a leg is parked while, or after, something was played to it: it then names that application instead.

And what its events cannot tell: the app code of a leg that has another leg, since JSON gives the other's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from daemon.calls.call import Call, CallState, Leg, LegState
from daemon.calls.events import CallEvent
from daemon.calls.registry import Registry
from daemon.hub import Hub
from daemon.switch.legs import ORIGIN
from tests.daemon.switch.history import History, Moment
from tests.daemon.switch.replay import LAST
from tests.daemon.switch.translation import Translation

_STEP = 0.02
"""Seconds by which the stamp of an event may differ from the time that it tells."""

OF_LEG = ("direction", "caller", "caller_name", "callee", "state", "parked", "held", "peer_id")
OF_CALL = ("caller", "caller_name", "callee", "did", "code", "origin", "server")


def told(history: History, last: int) -> Registry:
    """What stands after all events until ``last`` were heard."""
    return applied(Translation().take(history.events(0, last)).events)


def applied(events: list[CallEvent]) -> Registry:
    """What stands after these call events."""
    registry = Registry(Hub(), clock=lambda: 0.0, keep_ended=1e9)
    for event in events:
        registry.apply(event)
    return registry


def live(registry: Registry) -> dict[str, Leg]:
    """The legs that have not ended, by their ids."""
    return {leg.leg_id: leg for leg in registry.live_legs(ORIGIN, "main") if leg.leg_id != LAST}


def merged(registry: Registry) -> set[str]:
    """The calls that have become part of others, by the other side's ids."""
    return {call.other_id for call in registry.calls() if call.merged_into}


def is_ambiguous(moment: Moment, known: Registry) -> bool:
    """Whether the switch calls a leg parked that is parked no more."""
    legs = live(known)
    return any(row["application"] == "park" and not legs[row["uuid"]].parked for row in rows_of(moment, legs))


def rows_of(moment: Moment, legs: Mapping[str, Leg]) -> list[dict[str, str]]:
    """The rows in the switch's list of those legs."""
    return [row for row in json.loads(moment.rows).get("rows", []) if row["uuid"] in legs]


def differences(moment: Moment, known: Registry, found: Registry) -> list[str]:
    """How ``found`` differs from what is ``known`` at that moment, beyond what the wire allows."""
    legs, found_legs = live(known), live(found)
    differ = [f"{leg_id[:8]} is missing" for leg_id in legs.keys() - found_legs.keys()]
    differ += [f"{leg_id[:8]} is no leg" for leg_id in found_legs.keys() - legs.keys()]
    rows = {row["uuid"]: row for row in rows_of(moment, legs)}
    for leg_id in legs.keys() & found_legs.keys():
        hidden = legs[leg_id].parked and not found_legs[leg_id].parked and rows[leg_id]["application"] != "park"
        for name in OF_LEG:
            if not (name == "parked" and hidden):
                differ += _compared(leg_id, name, legs[leg_id], found_legs[leg_id])
        if legs[leg_id].code:
            differ += _compared(leg_id, "code", legs[leg_id], found_legs[leg_id])
        differ += _at(leg_id, legs[leg_id], found_legs[leg_id])
        call, found_call = _call(known, leg_id), _call(found, leg_id)
        differ += _set(leg_id, call, found_call)
        if call.legs[0].leg_id == leg_id:
            for name in OF_CALL:
                differ += _compared(f"call {leg_id}", name, call, found_call)
            if not hidden:
                differ += _compared(f"call {leg_id}", "state", call, found_call)
            differ += _compared(f"call {leg_id}", "other_id", call, found_call)
            differ += _at(f"call {leg_id}", call, found_call)
    return sorted(differ)


def _call(registry: Registry, leg_id: str) -> Call:
    call = registry.call_of(ORIGIN, "main", leg_id)
    assert call is not None
    assert call.state is not CallState.ENDED
    return call


def _set(leg_id: str, known: Call, found: Call) -> list[str]:
    """Whether the same live legs belong together."""
    one, other = ({leg.leg_id for leg in call.legs if leg.state is not LegState.ENDED} for call in (known, found))
    return [f"{leg_id[:8]} goes with {sorted(other)}, not with {sorted(one)}"] if one != other else []


def _compared(whose: str, name: str, known: Any, found: Any) -> list[str]:
    one, other = getattr(known, name), getattr(found, name)
    return [f"{whose[:13]}.{name} is {other!r}, not {one!r}"] if one != other else []


def _at(whose: str, known: Any, found: Any) -> list[str]:
    differ = []
    for name in ("created_at", "answered_at"):
        one, other = getattr(known, name), getattr(found, name)
        if (one is None) is not (other is None) or (one is not None and abs(one - other) > _STEP):
            differ.append(f"{whose[:13]}.{name} is {other!r}, not {one!r}")
    return differ
