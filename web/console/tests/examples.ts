/** Payloads to test with. */

import type { Call, Leg, Link, Utterance } from "../src/api/payloads";

export function utterance(id: string, known: Partial<Utterance> = {}): Utterance {
  return {
    call_id: "call-1",
    utterance_id: id,
    seq: 0,
    leg_id: "leg-a",
    speaker: "caller",
    text: id,
    start: null,
    end: null,
    said_at: 1000,
    final: false,
    confidence: null,
    vendor: "mindslab",
    ...known,
  };
}

/** A final with that seq, said at 1000 + seq unless told otherwise. */
export function final(seq: number, known: Partial<Utterance> = {}): Utterance {
  return utterance(`u${seq}`, { seq, final: true, said_at: 1000 + seq, ...known });
}

export function leg(id: string, known: Partial<Leg> = {}): Leg {
  return {
    leg_id: id,
    direction: "inbound",
    caller: "01012345678",
    caller_name: "",
    callee: "15880000",
    code: "",
    state: "answered",
    created_at: 1000,
    answered_at: 1005,
    ended_at: null,
    hangup_cause: "",
    parked: false,
    held: false,
    peer_id: "",
    ...known,
  };
}

export function call(id: string, known: Partial<Call> = {}): Call {
  return {
    call_id: id,
    origin: "freeswitch",
    server: "main",
    state: "active",
    caller: "01012345678",
    caller_name: "",
    callee: "15880000",
    did: "15880000",
    code: "",
    app: "",
    created_at: 1000,
    answered_at: 1005,
    ended_at: null,
    hangup_cause: "",
    disposition: null,
    merged_into: null,
    sensitive: false,
    legs: [leg(`${id}-a`)],
    app_state: null,
    outcome: "",
    app_ending: "",
    ...known,
  };
}

export function link(known: Partial<Link> = {}): Link {
  return {
    link: "switch:main",
    server: "main",
    state: "ready",
    since: 1000,
    last_event_at: 1000,
    detail: "",
    gap: null,
    round_trip: null,
    ...known,
  };
}
