/** Which calls the list shows, and in what order. */

import type { Call, Leg } from "../api/payloads";
import { showNumber } from "../i18n/numbers";

export interface Arranged {
  /** Newest first. */
  live: Call[];
  /** Last ended first. */
  ended: Call[];
}

/**
 * The calls that match the filter: every word of it stands somewhere in the call. Calls that became part of another
 * are not shown by themselves, and ended ones for `keepEnded` seconds. `now` is server time; `words` gives the further words a call is known by on the page
 * (its state as people read it).
 */
export function arrange(
  calls: Iterable<Call>,
  filter: string,
  now: number,
  keepEnded: number,
  words: (call: Call) => string = () => "",
): Arranged {
  const needles = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const live: Call[] = [];
  const ended: Call[] = [];
  for (const call of calls) {
    if (call.merged_into) continue;
    if (call.ended_at !== null && now - call.ended_at > keepEnded) continue;
    if (needles.length > 0 && !matches(call, needles, words(call))) continue;
    (call.state === "ended" ? ended : live).push(call);
  }
  live.sort((a, b) => b.created_at - a.created_at || compareIds(b, a));
  ended.sort((a, b) => (b.ended_at ?? 0) - (a.ended_at ?? 0) || compareIds(b, a));
  return { live, ended };
}

function compareIds(a: Call, b: Call): number {
  return a.call_id < b.call_id ? -1 : a.call_id > b.call_id ? 1 : 0;
}

function matches(call: Call, needles: readonly string[], words: string): boolean {
  const numbers = [call.caller, call.callee, call.did, ...call.legs.flatMap((leg) => [leg.caller, leg.callee])];
  const hay = [
    ...numbers,
    ...numbers.map(showNumber),
    call.caller_name,
    ...call.legs.map((leg) => leg.caller_name),
    call.code,
    call.app,
    call.server,
    words,
  ]
    .join("\n")
    .toLowerCase();
  return needles.every((needle) => hay.includes(needle));
}

/** Seconds the call has lasted: since the answer, else since it began, until its end or now. */
export function duration(call: Call, now: number): number {
  return Math.max(0, (call.ended_at ?? now) - (call.answered_at ?? call.created_at));
}

/** Whether the switch placed it: then who is talked to was called, and the caller's number is one of ours. */
export const isPlaced = ({ origin, legs }: Call): boolean =>
  origin === "freeswitch" && legs[0]?.direction === "outbound";

/** The number of who is on the call with us: the caller, else whom the switch called. */
export const personOf = (call: Call): string => (isPlaced(call) ? call.did : call.caller);

/** The number that stands for us: the one dialled from outside, else the one that who was called has seen. */
export const oursOf = (call: Call): string => (isPlaced(call) ? call.caller : call.did);

/** The caller's name, where the switch has one that says more than the number. */
export function nameOf(call: Call): string {
  return call.caller_name === call.caller || isPlaced(call) ? "" : call.caller_name;
}

/**
 * The number of who is talked to: where the call went, else the party it was connected to. Empty while it is only the
 * number that was dialled.
 */
export function calleeOf(call: Call): string {
  if (call.callee !== "" && call.callee !== call.did) return call.callee;
  const others = call.legs.slice(1);
  const party = others.findLast((leg) => leg.state !== "ended") ?? others.findLast((leg) => leg.answered_at !== null);
  const number = party === undefined ? "" : partyOf(party, call);
  return number === call.did ? "" : number;
}

/**
 * The number of who stands on a leg beside the caller's: whom the switch called, or who called in and was connected.
 * A switch's own loopback looks as if the caller had called in once more.
 */
export function partyOf(leg: Leg, call: Call): string {
  return leg.direction === "inbound" && leg.caller !== call.caller ? leg.caller : leg.callee;
}
