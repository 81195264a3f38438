/**
 * What the dialogue shows: turns (one speaker's utterances, short pauses joined) and what happened between them.
 *
 * Joining is display only. Objects that did not change stay the same objects from one timeline to the next, so that a
 * transcript of thousands of turns costs no more to draw than the turns that changed.
 */

import type { Call, Leg, Speaker, Utterance } from "../api/payloads";

export interface Turn {
  kind: "turn";
  /** The first utterance's id, the same before and after its final. */
  key: string;
  at: number;
  speaker: Speaker;
  legId: string;
  utterances: readonly Utterance[];
  /** The same speaker has just spoken: no need to say again who it is. */
  continues: boolean;
}

export type Happening =
  | { what: "began" | "answered" }
  | { what: "joined" | "left"; leg: Leg }
  | { what: "merged"; callId: string }
  | { what: "gap"; server: string; seconds: number }
  | { what: "ended" };

export interface Marker {
  kind: "marker";
  key: string;
  at: number;
  happening: Happening;
}

export type Item = Turn | Marker;

/** A stretch of time in which a switch was out of sight. */
export interface Gap {
  server: string;
  from: number;
  to: number;
}

/** Seconds a syllable takes, for utterances that do not say how long they are. */
const SECONDS_PER_CHARACTER = 0.15;
/** A leg that leaves so shortly before the call's end is part of that end. */
const SAME_MOMENT = 2;

/** When the utterance was over, Unix seconds. */
export function endOf(utterance: Utterance): number {
  const { start, end, said_at, text } = utterance;
  const lasted = start !== null && end !== null ? end - start : text.length * SECONDS_PER_CHARACTER;
  return said_at + Math.max(0, lasted);
}

/** What happened on the call beside speech, in order of time. `merged` are the calls that became part of it. */
export function markersOf(call: Call, gaps: readonly Gap[], merged: readonly Call[]): Marker[] {
  const markers: Marker[] = [];
  const mark = (key: string, at: number, happening: Happening): void => {
    markers.push({ kind: "marker", key, at, happening });
  };
  mark("began", call.created_at, { what: "began" });
  if (call.answered_at !== null) mark("answered", call.answered_at, { what: "answered" });
  for (const leg of call.legs.slice(1)) {
    if (leg.answered_at === null) continue;
    mark(`joined:${leg.leg_id}`, leg.answered_at, { what: "joined", leg });
    if (leg.ended_at !== null && (call.ended_at === null || call.ended_at - leg.ended_at > SAME_MOMENT)) {
      mark(`left:${leg.leg_id}`, leg.ended_at, { what: "left", leg });
    }
  }
  for (const other of merged) {
    // This very call, under an id it had before.
    if (other.created_at === call.created_at) continue;
    mark(`merged:${other.call_id}`, other.ended_at ?? other.created_at, { what: "merged", callId: other.call_id });
  }
  for (const gap of gaps) {
    const lived = gap.to >= call.created_at && (call.ended_at === null || gap.from <= call.ended_at);
    if (gap.server !== call.server || !lived) continue;
    mark(`gap:${gap.from}`, gap.from, { what: "gap", server: gap.server, seconds: gap.to - gap.from });
  }
  if (call.ended_at !== null) mark("ended", call.ended_at, { what: "ended" });
  // The sort is stable: of one moment, the order above.
  return markers.sort((a, b) => a.at - b.at);
}

/**
 * Turns and markers in order of time. Utterances of one leg's speaker that follow each other within `pause` seconds
 * are one turn; with null each stands by itself. `before` is the timeline shown until now.
 */
export function timeline(
  utterances: readonly Utterance[],
  markers: readonly Marker[],
  pause: number | null,
  before: readonly Item[] = [],
): Item[] {
  const known = new Map(before.map((item) => [item.kind + item.key, item]));
  const items: Item[] = [];
  let next = 0;
  let open: { utterances: Utterance[]; until: number; continues: boolean } | null = null;
  const close = (): void => {
    if (open === null) return;
    const first = open.utterances[0]!;
    const turn: Turn = {
      kind: "turn",
      key: first.utterance_id,
      at: first.said_at,
      speaker: first.speaker,
      legId: first.leg_id,
      utterances: open.utterances,
      continues: open.continues,
    };
    items.push(same(known.get(`turn${turn.key}`), turn));
    open = null;
  };
  for (const utterance of utterances) {
    while (next < markers.length && markers[next]!.at <= utterance.said_at) {
      close();
      items.push(same(known.get(`marker${markers[next]!.key}`), markers[next]!));
      next += 1;
    }
    if (
      open !== null &&
      pause !== null &&
      joins(open.utterances[0]!, utterance, utterance.said_at - open.until, pause)
    ) {
      open.utterances.push(utterance);
      open.until = Math.max(open.until, endOf(utterance));
      continue;
    }
    close();
    const last = items.at(-1);
    const continues = last?.kind === "turn" && last.speaker === utterance.speaker && last.legId === utterance.leg_id;
    open = { utterances: [utterance], until: endOf(utterance), continues };
  }
  close();
  for (const marker of markers.slice(next)) items.push(same(known.get(`marker${marker.key}`), marker));
  return items;
}

function joins(first: Utterance, utterance: Utterance, silence: number, pause: number): boolean {
  return (
    silence <= pause &&
    first.speaker === utterance.speaker &&
    first.leg_id === utterance.leg_id &&
    first.vendor !== "playback" &&
    utterance.vendor !== "playback"
  );
}

function same<T extends Item>(known: Item | undefined, item: T): T {
  if (known === undefined) return item;
  if (known.kind === "marker" && item.kind === "marker") {
    return (
      known.at === item.at && JSON.stringify(known.happening) === JSON.stringify(item.happening) ? known : item
    ) as T;
  }
  if (known.kind === "turn" && item.kind === "turn") {
    const equal =
      known.at === item.at &&
      known.speaker === item.speaker &&
      known.legId === item.legId &&
      known.continues === item.continues &&
      known.utterances.length === item.utterances.length &&
      known.utterances.every((utterance, index) => utterance === item.utterances[index]);
    return (equal ? known : item) as T;
  }
  return item;
}

/** The items in runs of `size`, a run that did not change staying the same array. */
export function inRuns(items: readonly Item[], size: number, before: readonly (readonly Item[])[] = []): Item[][] {
  const runs: Item[][] = [];
  for (let from = 0; from < items.length; from += size) {
    const run = items.slice(from, from + size);
    const old = before[runs.length];
    const equal = old !== undefined && old.length === run.length && run.every((item, index) => item === old[index]);
    runs.push(equal ? (old as Item[]) : run);
  }
  return runs;
}
