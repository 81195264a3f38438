import { afterEach, describe, expect, it, vi } from "vitest";

import { hangUp, say, transfer } from "../src/api/calls";
import type { AppEnding, Call } from "../src/api/payloads";
import { ApiError } from "../src/api/rest";
import { arrange } from "../src/calls/arrange";
import { explainHands } from "../src/calls/explain";
import { endingOf, inWords, isInReach, outcomeOf, standingOf, stillRings, wentWrong } from "../src/calls/standing";
import { messages } from "../src/i18n/messages";
import { call, leg } from "./examples";

const led = (known: Partial<Call> = {}): Call =>
  call("a", { state: "parked", app: "order", app_state: "listening", ...known });

describe("a call that an app leads", () => {
  it.each(["starting", "speaking", "listening", "working", "holding", "fallen_back"] as const)(
    "stands as the app does: %s",
    (app_state) => {
      for (const state of ["ringing", "parked", "active", "held"] as const) {
        expect(standingOf(led({ state, app_state }))).toBe(app_state);
      }
    },
  );

  it("is not waiting, in either language", () => {
    for (const t of [messages.ko, messages.en]) {
      const words = inWords(standingOf(led()), t);
      expect(words).not.toBe("");
      expect(words).not.toBe(t.states.parked);
    }
  });

  it.each<[Partial<Call>, string]>([
    [{ app_state: null }, "parked"],
    [{ app_state: "handed_over" }, "parked"],
    [{ app_state: "ended", state: "ended" }, "ended"],
    [{ app_state: "speaking", state: "ended" }, "ended"],
    [{ app_state: "fallen_back", state: "bridged" }, "bridged"],
  ])("stands as the switch says where it has no part any more: %o", (known, standing) => {
    expect(standingOf(led(known))).toBe(standing);
  });

  it("is found by what it does", () => {
    const words = (one: Call): string => inWords(standingOf(one), messages.ko);
    const found = (filter: string): number => arrange([led()], filter, 1010, 300, words).live.length;
    expect([found("듣는"), found("order"), found("대기")]).toEqual([1, 1, 0]);
  });

  it("can be taken in hand while it lives, is a call of its own and stands on a switch", () => {
    const others = [led({ state: "ended" }), led({ merged_into: "b" }), led({ origin: "dipcast" })];
    expect([led(), ...others].map(isInReach)).toEqual([true, false, false, false]);
  });
});

describe("a call that is placed", () => {
  const placed = leg("called", { direction: "outbound", state: "early", answered_at: null });

  it("rings until somebody answers", () => {
    expect(stillRings(led({ legs: [placed] }))).toBe(true);
    expect(stillRings(led({ legs: [{ ...placed, state: "answered", answered_at: 1005 }] }))).toBe(false);
  });

  it("is none where the caller waits for somebody who is rung", () => {
    expect(stillRings(led({ legs: [leg("caller", { answered_at: null }), placed] }))).toBe(false);
    expect(stillRings(led({ legs: [leg("caller", { state: "ended", ended_at: 1006 }), placed] }))).toBe(true);
    expect(stillRings(led({ legs: [] }))).toBe(false);
  });
});

describe("the end of an app", () => {
  const endings: readonly AppEnding[] = [
    "returned",
    "hung_up",
    "handed_on",
    "taken_over",
    "cut_off",
    "given_up",
    "failed",
    "late",
    "stopped",
    "lost",
    "refused",
  ];

  it("has words of its own for every reason", () => {
    for (const t of [messages.ko, messages.en]) {
      const words = endings.map((app_ending) => endingOf(led({ app_ending }), t));
      expect(new Set(words).size).toBe(endings.length);
      expect(words.every((word) => word !== "" && !endings.includes(word as AppEnding))).toBe(true);
    }
  });

  it("is told as it is where a later server knows more, and is nothing while the app goes on", () => {
    expect(endingOf(led({ app_ending: "eaten by a bear" }), messages.ko)).toBe("eaten by a bear");
    expect(endingOf(led(), messages.ko)).toBe("");
  });

  it("went wrong where the caller was left behind", () => {
    const wrong = endings.filter((app_ending) => wentWrong(led({ app_ending })));
    expect(wrong).toEqual(["given_up", "failed", "late", "stopped", "lost", "refused"]);
  });

  it("is told with the app's own word, where it has one", () => {
    expect(outcomeOf(led({ app_ending: "handed_on", outcome: "ordered" }))).toBe("ordered");
    expect(outcomeOf(led({ app_ending: "failed", outcome: "failed" }))).toBe("");
  });
});

describe("what is asked of the server", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("names the call and what is wanted", async () => {
    const asked: [string, unknown][] = [];
    vi.stubGlobal("fetch", (path: string, { method, body }: { method: string; body?: string }) => {
      asked.push([`${method} ${path}`, body === undefined ? undefined : JSON.parse(body)]);
      return Promise.resolve(new Response("{}", { status: 200 }));
    });
    await transfer("a b", "2002");
    await say("c", "곧 연결됩니다");
    await hangUp("c");
    expect(asked).toEqual([
      ["POST /api/v1/calls/a%20b/transfer", { extension: "2002" }],
      ["POST /api/v1/calls/c/say", { text: "곧 연결됩니다" }],
      ["POST /api/v1/calls/c/hangup", undefined],
    ]);
  });
});

describe("what is not done to a call", () => {
  it.each([0, 401, 403, 404, 409, 422, 500, 502, 503, 504])("with status %i has words of ours", (status) => {
    const words = explainHands(new ApiError(status, "Title of the server"), messages.ko);
    expect(words).toMatch(/[가-힣]/);
    expect(words).not.toContain("Title");
  });

  it("is told apart where the call is over", () => {
    const over = new ApiError(409, "The call is over", "The call is over.");
    const other = new ApiError(409, "Not possible now", "Two people talk to each other.");
    expect(explainHands(over, messages.en)).toBe(messages.en.hands.problem.over);
    expect(explainHands(other, messages.en)).toContain("Two people talk");
  });

  it("says where callers may not be sent", () => {
    const refused = new ApiError(422, "Not allowed", "Nothing of it fits.");
    expect(explainHands(refused, messages.en)).toBe(`${messages.en.hands.problem.notAllowed} (Nothing of it fits.)`);
    expect(explainHands(new ApiError(422, "Not understood"), messages.en)).toBe(messages.en.problem.invalid);
  });

  it.each([0, 504])("with status %i may have been done all the same", (status) => {
    expect(explainHands(new ApiError(status, ""), messages.en)).toBe(messages.en.hands.problem.unknown);
  });
});
