"""Every call Parley follows: one synchronous writer turns :mod:`daemon.calls.events` into calls.

Which legs are one call: a leg names the leg whose call it belongs to (``call_key``); legs that are bridged are one
call whatever they were before, and then the older call's id lives on. Every change is published on the hub as
:class:`~daemon.calls.call.CallChanged`, after the call stands as it says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog
from uuid_utils import uuid7

from daemon.calls.beginning import new_call, new_leg
from daemon.calls.call import (
    LEG_TRANSITIONS,
    AppMoved,
    AppState,
    Call,
    CallChanged,
    CallForgotten,
    CallState,
    DigitHeard,
    Leg,
    LegState,
    LegStep,
)
from daemon.calls.events import (
    AnswererDetected,
    CallEvent,
    DigitPressed,
    LegAnswered,
    LegAppeared,
    LegChanged,
    LegEnded,
    LegHeld,
    LegParked,
    LegProgressed,
    LegsBridged,
    LegsUnbridged,
    LegUnparked,
)
from daemon.calls.reunion import reunite
from daemon.hub import Hub

log = structlog.get_logger(__name__)

LegKey = tuple[str, str, str]
"""(origin, server, leg id): what names a leg for ever."""


class Registry:
    """The calls of all switches.

    ``clock`` gives Unix seconds; ``keep_ended`` is how many seconds an ended call stays in memory.
    """

    def __init__(self, hub: Hub, *, clock: Callable[[], float], keep_ended: float) -> None:
        self._hub = hub
        self._clock = clock
        self._keep_ended = keep_ended
        self._calls: dict[str, Call] = {}
        self._legs: dict[LegKey, tuple[Call, Leg]] = {}
        self._awaited: dict[LegKey, str] = {}
        self._stored: dict[LegKey, str] = {}
        self._expected: dict[LegKey, str] = {}
        self.unknown_legs = 0
        self._apply_by_type: dict[type, Callable[..., None]] = {
            LegAppeared: self._appeared,
            LegProgressed: self._progressed,
            LegAnswered: self._answered,
            AnswererDetected: self._answerer_detected,
            LegParked: self._parked,
            LegUnparked: self._unparked,
            LegHeld: self._held,
            LegsBridged: self._bridged,
            LegsUnbridged: self._unbridged,
            LegChanged: self._changed,
            LegEnded: self._ended,
            DigitPressed: self._digit,
        }

    # What others ask

    def calls(self) -> list[Call]:
        """Every call in memory, live and recently ended, in the order they became known."""
        return list(self._calls.values())

    def get(self, call_id: str) -> Call | None:
        """The call of that id, if it is in memory."""
        return self._calls.get(call_id)

    def find(self, origin: str, server: str, leg_id: str) -> tuple[Call, Leg] | None:
        """The leg and the call it belongs to now, ended ones that are still in memory included."""
        return self._legs.get((origin, server, leg_id))

    def call_of(self, origin: str, server: str, leg_id: str) -> Call | None:
        """The call that leg belongs to now."""
        found = self._legs.get((origin, server, leg_id))
        return found[0] if found else None

    def live_legs(self, origin: str, server: str) -> list[Leg]:
        """The legs of that server that have not ended."""
        return [
            leg
            for (leg_origin, leg_server, _), (_, leg) in self._legs.items()
            if leg_origin == origin and leg_server == server and leg.state is not LegState.ENDED
        ]

    # What others tell

    def adopt(self, known: Mapping[str, str], origin: str, server: str) -> None:
        """The store knows these legs: leg id → call id. Told before the snapshot that shows them is applied.

        It holds for that one snapshot: the next one tells anew.
        """
        self._stored = {key: value for key, value in self._stored.items() if key[:2] != (origin, server)}
        for leg_id, call_id in known.items():
            key = (origin, server, leg_id)
            if key not in self._legs:
                self._stored[key] = call_id

    def expect(self, key: LegKey, call_id: str) -> None:
        """That leg is about to appear, as the first of the call ``call_id``; ``""``: it is not, any more."""
        if call_id and key not in self._legs:
            self._expected[key] = call_id
        else:
            self._expected.pop(key, None)

    def is_stored(self, origin: str, server: str, leg_id: str) -> bool:
        """Whether a call of that leg is known, by the store or beforehand, and the leg has not appeared yet."""
        key = (origin, server, leg_id)
        return key in self._stored or key in self._expected

    def rekey(self, old_call_id: str, call_id: str) -> None:
        """The store knew the call ``old_call_id`` as ``call_id`` all along: it takes that id from now on.

        A call of that id that is in memory already is the same one: the two become one.
        """
        renamed = self._calls.pop(old_call_id, None)
        if renamed is None:
            return
        call = self._calls.setdefault(call_id, renamed)
        if call is renamed:
            call.call_id = call_id
        else:
            for leg in renamed.legs:
                self._legs[renamed.origin, renamed.server, leg.leg_id] = (call, leg)
            reunite(call, renamed)
            if call.legs:
                call.derive()
        for key, awaiting in self._awaited.items():
            if awaiting == old_call_id:
                self._awaited[key] = call_id
        for other in self._calls.values():
            if other.merged_into == old_call_id:
                other.merged_into = call_id
        self._publish(call)

    def tell_app(
        self, key: LegKey, app: str, outcome: str, *, state: AppState = AppState.STARTING, ending: str = ""
    ) -> None:
        """An app leads the call of that leg, or has led it.

        ``outcome`` says how that went and ``ending`` why it is over, both ``""`` while it leads it.
        """
        found = self._legs.get(key)
        if found is None:
            return
        call = found[0]
        if (call.app, call.outcome, call.app_state, call.app_ending) != (app, outcome, state, ending):
            call.app, call.outcome, call.app_state, call.app_ending = app, outcome, state, ending
            self._publish(call)

    def tell_app_state(self, key: LegKey, state: AppState) -> None:
        """The app that leads the call of that leg does something else now."""
        found = self._legs.get(key)
        if found is not None and found[0].app_state is not state:
            found[0].app_state = state
            self._hub.publish(AppMoved(found[0]))

    def sweep(self) -> None:
        """Forget calls that ended more than ``keep_ended`` seconds ago."""
        oldest = self._clock() - self._keep_ended
        gone = [call for call in self._calls.values() if call.ended_at is not None and call.ended_at < oldest]
        for call in gone:
            del self._calls[call.call_id]
            for leg in call.legs:
                self._legs.pop((call.origin, call.server, leg.leg_id), None)
            self._hub.publish(CallForgotten(call))
        if gone:
            self._awaited = {key: call_id for key, call_id in self._awaited.items() if call_id in self._calls}

    def apply(self, event: CallEvent) -> None:
        """Take in one event. Events that are not about a leg's life (speech) are not for the registry and ignored."""
        apply = self._apply_by_type.get(type(event))
        if apply is not None:
            apply(event)

    # Legs and the call they belong to

    def _appeared(self, event: LegAppeared) -> None:
        key = (event.origin, event.server, event.leg_id)
        found = self._legs.get(key)
        if found is not None:
            self._seen_again(*found, event)
            return
        leg = new_leg(event)
        call = self._call_for(key, event) or self._new_call(key, event)
        self._legs[key] = (call, leg)
        if event.leg_id == call.other_id:
            call.legs.insert(0, leg)
            call.caller, call.caller_name = event.caller, event.caller_name
            call.callee, call.did = event.callee, event.did or event.callee
        else:
            call.legs.append(leg)
        if event.peer_id:
            leg.peer_id = event.peer_id
            self._join(key, event.peer_id, event.at)
            call = self._legs[key][0]
        call.derive()
        self._publish(call)

    def _call_for(self, key: LegKey, event: LegAppeared) -> Call | None:
        origin, server, _ = key
        call_key = (origin, server, event.call_key)
        expected = self._expected.pop(key, "")
        stored = self._stored.pop(key, "") or expected
        found = self._legs.get(call_key)
        awaited = self._calls.get(self._awaited.pop(key, ""))
        if awaited is not None and found is not None and CallState.ENDED not in (awaited.state, found[0].state):
            # What was heard of a loopback's other side first stands as a call of its own until now.
            awaited = self._merge(found[0], awaited, event.at)
        for call in (
            self._calls.get(stored),
            awaited,
            found[0] if found else None,
            self._calls.get(self._awaited.get(call_key, "")),
            None if stored else self._call_of_peer(key, event),
        ):
            if call is not None and call.state is not CallState.ENDED:
                if found is None and event.call_key not in ("", event.leg_id):
                    self._awaited[call_key] = call.call_id
                return call
        return self._new_call(key, event, stored) if stored and stored not in self._calls else None

    def _call_of_peer(self, key: LegKey, event: LegAppeared) -> Call | None:
        """The older call of the leg that this one is bridged to already: the two were one before we knew of either."""
        peer = self._legs.get((key[0], key[1], event.peer_id)) if event.peer_id else None
        if peer is None or peer[1].state is LegState.ENDED or peer[0].created_at > event.created_at:
            return None
        return peer[0]

    def _new_call(self, key: LegKey, event: LegAppeared, call_id: str | None = None) -> Call:
        origin, server, leg_id = key
        first = event.call_key or leg_id
        if (origin, server, first) in self._legs:
            first = leg_id
        call = new_call(event, call_id or str(uuid7()), first)
        self._calls[call.call_id] = call
        if first != leg_id:
            # The leg this call began with was not seen yet: it joins when it appears.
            self._awaited[(origin, server, first)] = call.call_id
        return call

    def _seen_again(self, call: Call, leg: Leg, event: LegAppeared) -> None:
        """A snapshot shows a leg that is known: learn what was missed, but never bring it back to life."""
        if leg.state is LegState.ENDED:
            return
        if event.answered_at is not None and leg.answered_at is None:
            leg.answered_at = event.answered_at
            leg.state = LEG_TRANSITIONS[leg.state, LegStep.ANSWER]
        elif event.early:
            leg.state = LEG_TRANSITIONS[leg.state, LegStep.EARLY_MEDIA]
        leg.parked, leg.held = event.parked, event.held
        leg.code = event.code or leg.code
        leg.mark = leg.mark or event.mark
        if event.callee != leg.callee:
            call.retarget(leg, event.callee)
        if event.peer_id != leg.peer_id:
            self._part(event.origin, event.server, leg)
            if event.peer_id:
                leg.peer_id = event.peer_id
                self._join((event.origin, event.server, leg.leg_id), event.peer_id, event.at)
                call = self._legs[(event.origin, event.server, leg.leg_id)][0]
        call.derive()
        self._publish(call)

    def _join(self, key: LegKey, other_leg_id: str, at: float) -> None:
        """The calls of two bridged legs become one: the older id lives."""
        origin, server, leg_id = key
        other = self._legs.get((origin, server, other_leg_id))
        call, leg = self._legs[key]
        if other is None:
            return
        other_call, other_leg = other
        if other_leg.state is LegState.ENDED:
            leg.peer_id = ""
            return
        leg.peer_id, other_leg.peer_id = other_leg_id, leg_id
        # To be bridged is to have left the park, though that may have gone unseen.
        leg.parked = other_leg.parked = False
        self._merge(call, other_call, at)

    def _merge(self, call: Call, other_call: Call, at: float) -> Call:
        """Two calls are one: the older, which is returned."""
        if other_call is call:
            return call
        older, younger = sorted((call, other_call), key=lambda one: (one.created_at, one.call_id))
        older.legs.extend(younger.legs)
        for moved in younger.legs:
            self._legs[(call.origin, call.server, moved.leg_id)] = (older, moved)
        # The younger keeps no legs: each leg stands in one call only, here and in the store.
        younger.legs = []
        younger.state = CallState.ENDED
        younger.ended_at = at
        younger.merged_into = older.call_id
        self._publish(younger)
        return older

    def _part(self, origin: str, server: str, leg: Leg) -> None:
        other = self._legs.get((origin, server, leg.peer_id)) if leg.peer_id else None
        if other is not None and other[1].peer_id == leg.leg_id:
            other[1].peer_id = ""
        leg.peer_id = ""

    # A leg's life

    def _find(self, event: CallEvent) -> tuple[Call, Leg] | None:
        found = self._legs.get((event.origin, event.server, event.leg_id))
        if found is None:
            self.unknown_legs += 1
        return found

    def _step(self, event: CallEvent, step: LegStep) -> tuple[Call, Leg, bool] | None:
        found = self._find(event)
        if found is None:
            return None
        call, leg = found
        before = leg.state
        leg.state = LEG_TRANSITIONS[before, step]
        return call, leg, leg.state is not before

    def _progressed(self, event: LegProgressed) -> None:
        moved = self._step(event, LegStep.EARLY_MEDIA if event.early else LegStep.PROGRESS)
        if moved and moved[2]:
            self._settle(moved[0])

    def _answered(self, event: LegAnswered) -> None:
        moved = self._step(event, LegStep.ANSWER)
        if moved and moved[2]:
            moved[1].answered_at = event.at
            self._settle(moved[0])

    def _answerer_detected(self, event: AnswererDetected) -> None:
        found = self._find(event)
        if found is not None and found[1].state is not LegState.ENDED:
            found[1].machine = event.machine
            self._settle(found[0])

    def _ended(self, event: LegEnded) -> None:
        moved = self._step(event, LegStep.END)
        if moved is None:
            return
        call, leg, changed = moved
        if not changed:
            return
        leg.ended_at = event.at
        leg.hangup_cause = event.cause
        leg.parked = leg.held = False
        self._part(event.origin, event.server, leg)
        call.derive()
        if call.state is CallState.ENDED:
            call.close(event.at, event.cause, while_away=event.while_away)
        self._publish(call)

    def _parked(self, event: LegParked) -> None:
        found = self._find(event)
        if found is None or found[1].state is LegState.ENDED:
            return
        found[1].parked = True
        found[1].code = event.code or found[1].code
        self._settle(found[0])

    def _unparked(self, event: LegUnparked) -> None:
        found = self._find(event)
        if found is None:
            return
        call, leg = found
        leg.parked = False
        call.retarget(leg, event.callee)
        self._settle(call)

    def _changed(self, event: LegChanged) -> None:
        found = self._find(event)
        if found is None:
            return
        call, leg = found
        leg.code = event.code or leg.code
        call.retarget(leg, event.callee)
        self._settle(call)

    def _held(self, event: LegHeld) -> None:
        found = self._find(event)
        if found is None or found[1].state is LegState.ENDED or found[1].held == event.held:
            return
        found[1].held = event.held
        self._settle(found[0])

    def _bridged(self, event: LegsBridged) -> None:
        found = self._find(event)
        if found is None or found[1].state is LegState.ENDED:
            return
        found[1].peer_id = event.other_leg_id
        key = (event.origin, event.server, event.leg_id)
        self._join(key, event.other_leg_id, event.at)
        self._settle(self._legs[key][0])

    def _unbridged(self, event: LegsUnbridged) -> None:
        found = self._find(event)
        if found is None or not found[1].peer_id:
            return
        self._part(event.origin, event.server, found[1])
        self._settle(found[0])

    def _digit(self, event: DigitPressed) -> None:
        found = self._find(event)
        if found is not None:
            self._hub.publish(DigitHeard(found[0].call_id, event.leg_id, event.digit, event.at))

    def _settle(self, call: Call) -> None:
        call.derive()
        self._publish(call)

    def _publish(self, call: Call) -> None:
        self._hub.publish(CallChanged(call))
