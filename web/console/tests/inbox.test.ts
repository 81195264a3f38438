import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { pagePath, STATES, type Delivery, type DeliveryPage, type Inbox } from "../src/api/inbox";
import { ApiError } from "../src/api/rest";
import { messages } from "../src/i18n/messages";
import { stamp } from "../src/i18n/times";
import { beginningOf, setOut, sizeOf } from "../src/inbox/body";
import { MOST, planOf } from "../src/inbox/bulk";
import { asks, EVERYTHING, problemOf, untilNow, wantedOf, WEEK, type Choice } from "../src/inbox/choice";
import { Deliveries, PAGE } from "../src/inbox/deliveries.svelte";
import { explainInbox } from "../src/inbox/explain";
import { lengthOf } from "../src/inbox/lengths";
import { refreshed } from "../src/inbox/refreshed";
import { regularly } from "../src/inbox/regularly";
import { hasEnded, isRetried, totalsOf } from "../src/inbox/totals";
import { hashOf, parsePlace } from "../src/shell/route.svelte";

const NOW = 1_800_000_000;

const delivery = (id: string, known: Partial<Delivery> = {}): Delivery => ({
  delivery_id: id,
  source: "github",
  event: "push",
  other_id: null,
  key: null,
  state: "done",
  received_at: NOW,
  due_at: NOW,
  attempts: 1,
  attempts_allowed: 9,
  replays: 0,
  finished_at: NOW,
  error: "",
  redacted: false,
  size: 2,
  ...known,
});

const page = (ids: readonly string[], before: string | null = null): DeliveryPage => ({
  deliveries: ids.map((id) => delivery(id)),
  before,
  looked_back_to: before === null ? null : NOW - 60,
});

const idsOf = (rows: readonly Delivery[]): string[] => rows.map((row) => row.delivery_id);

describe("what is looked for", () => {
  const choice = (known: Partial<Choice>): Choice => ({ ...EVERYTHING, ...known });

  it("is everything at first", () => {
    expect(wantedOf(EVERYTHING, NOW)).toEqual({});
    expect(problemOf(EVERYTHING, NOW)).toBeNull();
    expect(asks(EVERYTHING)).toBe(0);
  });

  it("leaves out what is empty and the blanks around what is not", () => {
    const wanted = wantedOf(choice({ source: "github", event: " push ", state: "dead", text: "  " }), NOW);
    expect(wanted).toEqual({ source: "github", event: "push", state: "dead" });
    expect(asks(choice({ source: "github", text: "  ", period: "day" }))).toBe(2);
  });

  it.each([
    ["hour", 3_600],
    ["day", 86_400],
    ["week", WEEK],
  ] as const)("of the last %s stays open for what is yet to come", (period, span) => {
    expect(wantedOf(choice({ period }), NOW + 0.2)).toEqual({ since: NOW + 1 - span });
  });

  it("has dates in the browser's own time, and only while they are asked for", () => {
    const since = Date.parse("2027-01-15T09:30") / 1000;
    const custom = choice({ period: "custom", since: "2027-01-15T09:30", until: "2027-01-15T10:00" });
    expect(wantedOf(custom, NOW)).toEqual({ since, until: since + 1_800 });
    expect(wantedOf({ ...custom, until: "" }, NOW)).toEqual({ since });
    expect(wantedOf({ ...custom, period: "all" }, NOW)).toEqual({});
    expect(problemOf({ ...custom, until: "2027-01-15T09:30" }, NOW)).toBe("reversed");
  });

  it.each([
    [{ period: "all" }, "unbounded"],
    [{ period: "custom", since: "2027-01-01T00:00" }, "unbounded"],
    [{ period: "custom", since: "2027-01-01T00:00", until: "2027-01-08T00:01" }, "too-long"],
    [{ period: "custom", since: "2027-01-01T00:00", until: "2027-01-08T00:00" }, null],
    [{ period: "week" }, null],
    [{ period: "hour" }, null],
  ] as const)("in bodies with %j is answered %s", (known, problem) => {
    expect(problemOf(choice({ ...known, body: "배송" }), NOW)).toBe(problem);
    expect(problemOf(choice(known), NOW)).toBeNull();
  });

  it("in bodies has both ends, a week apart at most", () => {
    const { since, until, body } = wantedOf(choice({ period: "week", body: " 배송 " }), NOW + 0.7);
    expect(body).toBe("배송");
    expect(until! - since!).toBe(WEEK);
  });

  it("is asked for by an address that says it all", () => {
    expect(pagePath({}, null, 50)).toBe("/api/v1/inbox/deliveries?limit=50");
    const query = new URL(pagePath({ text: "a&b=c", state: "dead", since: 1.5 }, "01a1", 20), "http://example.com");
    expect(Object.fromEntries(query.searchParams)).toEqual({
      text: "a&b=c",
      state: "dead",
      since: "1.5",
      before: "01a1",
      limit: "20",
    });
  });

  it("is fixed to what has come when it is counted", () => {
    expect(untilNow({ state: "dead" }, NOW)).toEqual({ state: "dead", until: NOW });
    expect(untilNow({ until: NOW - 5 }, NOW)).toEqual({ until: NOW - 5 });
    expect(untilNow({ until: NOW + 5 }, NOW)).toEqual({ until: NOW });
  });
});

describe("a list that is looked at again", () => {
  const rows = ["9", "8", "5", "4"].map((id) => delivery(id));

  it("is as it stands now, with what is new apart", () => {
    const now = { ...page(["b", "a", "9", "8", "5"], "5") };
    expect(idsOf(refreshed(rows, now, 50).fresh)).toEqual(["b", "a"]);
    expect(idsOf(refreshed(rows, now, 50).rows)).toEqual(["9", "8", "5", "4"]);
    const changed = { ...now, deliveries: [delivery("8", { state: "dead" })] };
    expect(refreshed(rows, changed, 50).rows.map((row) => row.state)).toEqual(["dead", "done"]);
  });

  it("loses what is not asked for any more, and nothing that the page does not speak for", () => {
    expect(idsOf(refreshed(rows, page(["9"], "5"), 50).rows)).toEqual(["9", "4"]);
    expect(idsOf(refreshed(rows, page(["9"]), 50).rows)).toEqual(["9"]);
    expect(idsOf(refreshed(rows, page([], "a"), 50).rows)).toEqual(["9", "8", "5", "4"]);
  });

  it("has in its place what was stored late", () => {
    expect(idsOf(refreshed(rows, page(["9", "8", "7", "5"], "5"), 50).rows)).toEqual(["9", "8", "7", "5", "4"]);
  });

  it("knows when more came than it was told of", () => {
    expect(refreshed(rows, page(["d", "c"], "c"), 2).gap).toBe(true);
    expect(refreshed(rows, page(["d", "9"], "9"), 2).gap).toBe(false);
    expect(refreshed([], page(["d"]), 2)).toMatchObject({ rows: [], gap: false });
  });
});

describe("the list", () => {
  let answers: DeliveryPage[] = [];
  let asked: URLSearchParams[] = [];

  beforeEach(() => {
    answers = [];
    asked = [];
    vi.stubGlobal("fetch", (path: string) => {
      asked.push(new URL(path, "http://example.com").searchParams);
      const answer = answers.shift();
      return Promise.resolve(
        answer === undefined ? Response.json({ title: "Away" }, { status: 503 }) : Response.json(answer),
      );
    });
  });

  afterEach(() => vi.unstubAllGlobals());

  it("goes on where a page ended, and says how far a short one has looked", async () => {
    const list = new Deliveries();
    const full = Array.from({ length: PAGE }, (_, at) => String(999 - at));
    answers = [page(full, full.at(-1)), page(["500"], "400"), page(["300"])];
    await list.search({ state: "dead" });
    expect([list.rows.length, list.before, list.lookedBackTo]).toEqual([PAGE, full.at(-1), null]);
    await list.more();
    expect([list.rows.length, list.before, list.lookedBackTo]).toEqual([PAGE + 1, "400", NOW - 60]);
    await list.more();
    expect([list.rows.length, list.before, list.lookedBackTo]).toEqual([PAGE + 2, null, null]);
    await list.more();
    expect(asked.map((query) => query.get("before"))).toEqual([null, full.at(-1), "400"]);
    expect(new Set(asked.map((query) => query.get("state")))).toEqual(new Set(["dead"]));
  });

  it("keeps the new for later while somebody reads, and shows it when asked", async () => {
    const list = new Deliveries();
    answers = [page(["2", "1"]), page(["4", "3", "2", "1"]), page(["5", "4", "3", "2", "1"])];
    await list.search({});
    await list.refresh(true);
    expect([idsOf(list.rows), idsOf(list.fresh)]).toEqual([
      ["2", "1"],
      ["4", "3"],
    ]);
    await list.refresh(true);
    expect(idsOf(list.fresh)).toEqual(["5", "4", "3"]);
    list.showFresh();
    expect([idsOf(list.rows), idsOf(list.fresh)]).toEqual([["5", "4", "3", "2", "1"], []]);
  });

  it("begins anew where more came than a page holds", async () => {
    const list = new Deliveries();
    const full = Array.from({ length: PAGE }, (_, at) => String(999 - at));
    answers = [page(["2", "1"]), page(full, full.at(-1))];
    await list.search({});
    await list.refresh(false);
    expect([list.rows.length, list.before]).toEqual([PAGE, full.at(-1)]);
  });

  it("does not forget how far it has looked when it is looked at again", async () => {
    const list = new Deliveries();
    answers = [page([], "800"), page([], "600"), page([], "810")];
    await list.search({ text: "배송" });
    await list.more();
    await list.refresh(false);
    expect([list.before, list.rows]).toEqual(["600", []]);
  });

  it("stands, with what was wrong, where it cannot be looked at again", async () => {
    const list = new Deliveries();
    answers = [page(["1"])];
    await list.search({});
    await list.refresh(false);
    expect([idsOf(list.rows), list.refusal?.status]).toEqual([["1"], 503]);
    answers = [page(["1"])];
    await list.refresh(false);
    expect(list.refusal).toBeNull();
  });

  it("is not searched through for bodies again and again", async () => {
    const list = new Deliveries();
    answers = [page(["1"])];
    await list.search({ body: "배송", since: NOW - 60, until: NOW });
    await list.refresh(false);
    expect(asked.length).toBe(1);
  });

  it("takes a change of one", async () => {
    const list = new Deliveries();
    answers = [page(["2", "1"])];
    await list.search({});
    list.changed(delivery("1", { state: "pending" }));
    expect(list.rows.map((row) => row.state)).toEqual(["done", "pending"]);
  });
});

describe("what is looked at regularly", () => {
  const page = Object.assign(new EventTarget(), { hidden: false });
  let looks = 0;
  let end = (): void => {};

  function show(hidden: boolean): void {
    page.hidden = hidden;
    page.dispatchEvent(new Event("visibilitychange"));
  }

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("document", page);
    page.hidden = false;
    looks = 0;
    end = regularly(1_000, () => {
      looks += 1;
      // An answer that takes its time.
      return new Promise((resolve) => setTimeout(resolve, 500));
    });
  });

  afterEach(() => {
    end();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("is looked at at once, and again so long after the answer", async () => {
    expect(looks).toBe(1);
    await vi.advanceTimersByTimeAsync(1_499);
    expect(looks).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(looks).toBe(2);
    end();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(looks).toBe(2);
  });

  it("is left alone while nobody can see it, and looked at when somebody can", async () => {
    show(true);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(looks).toBe(1);
    show(false);
    expect(looks).toBe(2);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(looks).toBe(3);
  });

  it("is not looked at twice at the same time", () => {
    show(false);
    show(false);
    expect(looks).toBe(1);
  });
});

describe("a body", () => {
  it("that is JSON is set out", () => {
    expect(setOut('{"a":[1,{"b":null}],"c":{},"d":[],"e":"x"}')).toBe(
      '{\n  "a": [\n    1,\n    {\n      "b": null\n    }\n  ],\n  "c": {},\n  "d": [],\n  "e": "x"\n}',
    );
    expect(setOut("[]")).toBe("[]");
    expect(setOut(' "text" ')).toBe('"text"');
  });

  it("keeps every digit, every name that stands twice, and what only looks like structure", () => {
    const text = '{"id":12345678901234567890,"a":1,"a":2.50,"s":"{\\"x\\":[1,2]}, \\\\"}';
    const shown = setOut(text)!;
    expect(shown).toContain("12345678901234567890");
    expect(shown).toContain("2.50");
    expect(shown.match(/"a":/g)?.length).toBe(2);
    expect(JSON.parse(shown)).toEqual(JSON.parse(text));
    expect(shown.split("\n").length).toBe(6);
  });

  it("shows letters as letters", () => {
    expect(setOut('{"\\ud55c":"\\uae00 \\n \\u0007"}')).toBe('{\n  "한": "글 \\n \\u0007"\n}');
  });

  it.each(["", "a=1&b=2", "{", '{"a":1}}', "<x/>", "NaN"])("%j is no JSON", (text) => {
    expect(setOut(text)).toBeNull();
  });

  it("that is nested without end fills no page with blanks", () => {
    const deep = 2_000;
    expect(setOut("[".repeat(deep) + "1" + "]".repeat(deep))!.length).toBeLessThan(deep * 2 * 100);
  });

  it("is shown in part where it is long, and no character is cut in two", () => {
    expect(beginningOf("abc", 3)).toEqual({ shown: "abc", left: 0 });
    expect(beginningOf("abcd", 3)).toEqual({ shown: "abc", left: 1 });
    expect(beginningOf("ab😀d", 3)).toEqual({ shown: "ab", left: 3 });
    expect(beginningOf("ab😀d", Infinity).left).toBe(0);
  });

  it("has a size", () => {
    expect([0, 1023, 8_397, 1_048_576].map((bytes) => sizeOf(bytes, "en"))).toEqual([
      "0 B",
      "1,023 B",
      "8.2 KB",
      "1 MB",
    ]);
  });
});

describe("times of the inbox", () => {
  it("have a day where it is not today", () => {
    const at = Date.parse("2027-01-15T09:30:05") / 1000;
    expect(stamp(at, at + 60, "ko")).toBe("09:30:05");
    expect(stamp(at, at + 86_400, "ko")).toContain("15");
    expect(stamp(at, at + 365 * 86_400, "en")).toContain("Jan 15");
  });

  it("are short for what is quick", () => {
    expect([0.0007, 0.25, 12.34, -1].map((seconds) => lengthOf(seconds, "en"))).toEqual([
      "0.7 ms",
      "250 ms",
      "12.3 s",
      "0 ms",
    ]);
  });
});

describe("the figures", () => {
  it("are those of all sources together", () => {
    const source = (name: string, known: object) => ({
      source: name,
      pending: 0,
      working: 0,
      dead: 0,
      cancelled: 0,
      oldest_pending_at: null,
      accepted: 0,
      doubles: 0,
      refused: {},
      ...known,
    });
    const inbox: Inbox = {
      sources: [
        source("github", { pending: 2, accepted: 5, refused: { wrong_signature: 3, too_fast: 1 } }),
        source("voxai", { pending: 1, dead: 4, accepted: 1, oldest_pending_at: 20 }),
        source("to:crm", { working: 1, accepted: 7, oldest_pending_at: 10 }),
      ],
      waiting: 0,
      running: 0,
      attempts: 0,
      finished: 0,
      died: 0,
      counted_at: NOW,
      problem: "",
    };
    expect(totalsOf(inbox)).toEqual({ pending: 3, working: 1, dead: 4, accepted: 6, refused: 4, oldestPendingAt: 10 });
    expect(totalsOf({ ...inbox, sources: [] }).oldestPendingAt).toBeNull();
  });

  it("know what has ended and what is tried again", () => {
    expect(STATES.filter((state) => hasEnded(delivery("1", { state })))).toEqual(["done", "dead", "cancelled"]);
    expect(isRetried(delivery("1", { state: "pending", attempts: 1 }))).toBe(true);
    expect(isRetried(delivery("1", { state: "pending", attempts: 0 }))).toBe(false);
    expect(isRetried(delivery("1", { state: "dead" }))).toBe(false);
  });
});

describe("a bulk replay", () => {
  const counts = (found: number, atLeast = false) => ({ found, replayed: 0, at_least: atLeast });

  it("takes what was counted, as many as the server takes at once", () => {
    expect(planOf(counts(7))).toEqual({ found: 7, taken: 7, orMore: false });
    expect(planOf(counts(MOST + 1))).toEqual({ found: MOST + 1, taken: MOST, orMore: false });
    expect(planOf(counts(100_000, true))).toEqual({ found: 100_000, taken: MOST, orMore: false });
  });

  it("may take more where counting ended early, also where nothing was found until then", () => {
    expect(planOf(counts(7, true))).toEqual({ found: 7, taken: 7, orMore: true });
    expect(planOf(counts(0, true))).toEqual({ found: 0, taken: 0, orMore: true });
    expect(planOf(counts(0))).toBeNull();
  });

  it("says that a count is the least of it", () => {
    const { ko, en } = messages;
    expect(ko.inbox.bulk.found("7", true)).toContain("7건 이상");
    expect(ko.inbox.bulk.found("7", false)).not.toContain("이상");
    expect(en.inbox.bulk.found("7", true)).toMatch(/^At least 7/);
    expect(en.inbox.bulk.found("7", false)).toMatch(/^7/);
    expect(ko.inbox.bulk.takes("1분", true)).toContain("1분 이상");
    expect(en.inbox.bulk.takes("a minute", true)).toContain("or more");
  });
});

describe("what the inbox does not do", () => {
  it.each([0, 400, 401, 403, 404, 409, 422, 429, 500, 503])("with status %i has words of ours", (status) => {
    const words = explainInbox(new ApiError(status, "Title of the server"), messages.ko);
    expect(words).toMatch(/[가-힣]/);
    expect(words).not.toContain("Title");
  });

  it("says of a conflict what it is about, and of an invalid request what was wrong", () => {
    const conflict = new ApiError(409, "Title");
    expect(explainInbox(conflict, messages.en, "replay")).toContain("has not ended");
    expect(explainInbox(conflict, messages.en, "cancel")).toContain("has ended already");
    expect(explainInbox(new ApiError(422, "Title", "a week apart"), messages.en)).toContain("a week apart");
  });
});

describe("the address of a delivery", () => {
  it("is read back", () => {
    const place = { section: "inbox", callId: null, deliveryId: "01a1fdb4-2e48-73ef-a1ff-5ff26810c381" } as const;
    expect(parsePlace(hashOf(place))).toEqual(place);
    expect(parsePlace("#/inbox")).toEqual({ section: "inbox", callId: null });
    expect(hashOf({ section: "inbox", callId: null })).toBe("#/inbox");
  });
});
