import { describe, expect, it } from "vitest";

import type { Utterance } from "../src/api/payloads";
import { endOf, inRuns, markersOf, timeline, type Item } from "../src/transcript/timeline";
import { call, final, leg, utterance } from "./examples";

/** A stretch from `from` to `to` seconds after 1000, timed by its recogniser. */
const spoken = (seq: number, from: number, to: number, known: Partial<Utterance> = {}): Utterance =>
  final(seq, { said_at: 1000 + from, start: from, end: to, ...known });

const shape = (items: readonly Item[]): (string | string[])[] =>
  items.map((item) => (item.kind === "turn" ? item.utterances.map((one) => one.text) : item.happening.what));

describe("short pauses", () => {
  const said = [spoken(1, 0, 2), spoken(2, 3, 4), spoken(3, 6, 7)];

  it("join one speaker's utterances", () => {
    expect(shape(timeline(said, [], 1.5))).toEqual([["u1", "u2"], ["u3"]]);
    expect(shape(timeline(said, [], 2))).toEqual([["u1", "u2", "u3"]]);
  });

  it("join nothing when switched off", () => {
    expect(shape(timeline(said, [], null))).toEqual([["u1"], ["u2"], ["u3"]]);
  });

  it("end where another speaks, where another leg speaks, and at what happened meanwhile", () => {
    const others = [
      spoken(1, 0, 2),
      spoken(2, 2, 3, { speaker: "callee", leg_id: "leg-b" }),
      spoken(3, 3, 4),
      spoken(4, 4, 5, { leg_id: "leg-c" }),
      spoken(5, 6, 7, { leg_id: "leg-c" }),
    ];
    const markers = markersOf(call("call-1", { created_at: 999, answered_at: 1005.5 }), [], []);
    expect(shape(timeline(others, markers, 5))).toEqual(["began", ["u1"], ["u2"], ["u3"], ["u4"], "answered", ["u5"]]);
  });

  it("never join a file that is played", () => {
    const app = { speaker: "app", start: null, end: null } as const;
    const played = [
      spoken(1, 0, 0, { ...app, vendor: "playback", text: "welcome.wav" }),
      spoken(2, 1, 1, { ...app, vendor: "speak", text: "잠시만요" }),
      spoken(3, 1.5, 1.5, { ...app, vendor: "speak", text: "연결합니다" }),
      spoken(4, 2, 2, { ...app, vendor: "playback", text: "tone.wav" }),
    ];
    expect(shape(timeline(played, [], 3))).toEqual([["welcome.wav"], ["잠시만요", "연결합니다"], ["tone.wav"]]);
  });

  it("keep an interim in the bubble that its final will stand in", () => {
    const before = timeline([spoken(1, 0, 2), utterance("u2", { said_at: 1003 })], [], 1.5);
    const after = timeline([spoken(1, 0, 2), spoken(2, 3, 4)], [], 1.5, before);
    expect(shape(before)).toEqual([["u1", "u2"]]);
    expect(shape(after)).toEqual([["u1", "u2"]]);
    expect(after[0]!.key).toBe(before[0]!.key);
  });

  it("are judged by the text's length where the recogniser gives no times", () => {
    expect(endOf(final(1, { text: "가".repeat(20) }))).toBeCloseTo(1001 + 3);
    expect(endOf(spoken(1, 5, 4))).toBe(1005);
  });
});

describe("turns", () => {
  it("say who speaks once, until somebody else does", () => {
    const items = timeline([spoken(1, 0, 1), spoken(2, 9, 10), spoken(3, 11, 12, { speaker: "callee" })], [], 1);
    expect(items.map((item) => item.kind === "turn" && item.continues)).toEqual([false, true, false]);
  });

  it("stay the same objects while nothing about them changes, and so do runs of them", () => {
    const said = Array.from({ length: 25 }, (_, index) => spoken(index + 1, index * 10, index * 10 + 1));
    const markers = markersOf(call("call-1"), [], []);
    const before = timeline(said, markers, 1.5);
    const after = timeline([...said, spoken(26, 250.5, 251)], markersOf(call("call-1"), [], []), 1.5, before);
    expect(after.slice(0, before.length).every((item, index) => item === before[index])).toBe(true);
    const runs = inRuns(before, 10);
    const next = inRuns(after, 10, runs);
    expect(next.map((run, index) => run === runs[index])).toEqual([true, true, false]);
  });
});

describe("what happened", () => {
  it("tells who came and went, but not who left with the call's end", () => {
    const legs = [
      leg("a", { ended_at: 1100 }),
      leg("b", { direction: "outbound", callee: "1001", answered_at: 1010, ended_at: 1050 }),
      leg("c", { direction: "outbound", callee: "1002", answered_at: 1051, ended_at: 1099.5 }),
      leg("d", { direction: "outbound", callee: "1003", answered_at: null, ended_at: 1060 }),
    ];
    const markers = markersOf(call("call-1", { legs, ended_at: 1100, state: "ended" }), [], []);
    expect(markers.map((marker) => marker.key)).toEqual([
      "began",
      "answered",
      "joined:b",
      "left:b",
      "joined:c",
      "ended",
    ]);
  });

  it("shows the gaps of the call's own switch while it lived", () => {
    const gaps = [
      { server: "main", from: 900, to: 950 },
      { server: "main", from: 990, to: 1010 },
      { server: "busan", from: 1020, to: 1030 },
      { server: "main", from: 1040, to: 1050 },
      { server: "main", from: 1200, to: 1210 },
    ];
    const keys = markersOf(call("call-1", { ended_at: 1100 }), gaps, []).map((marker) => marker.key);
    expect(keys.filter((key) => key.startsWith("gap"))).toEqual(["gap:990", "gap:1040"]);
  });

  it("names the calls that became part of it, and not itself under a former id", () => {
    const merged = [
      call("younger", { created_at: 1010, ended_at: 1020, merged_into: "call-1" }),
      call("former", { created_at: 1000, ended_at: null, merged_into: "call-1" }),
    ];
    const keys = markersOf(call("call-1"), [], merged).map((marker) => marker.key);
    expect(keys).toEqual(["began", "answered", "merged:younger"]);
  });
});
