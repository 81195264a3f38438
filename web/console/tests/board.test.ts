import { describe, expect, it } from "vitest";

import { Board } from "../src/live/board";
import { call, leg, link } from "./examples";

describe("calls", () => {
  it("are replaced by a new list", () => {
    const board = new Board();
    board.call(call("old"));
    const renamed = board.replace({ epoch: "e", now: 1, keep_ended: 300, calls: [call("new")], links: [] });
    expect([...board.calls.keys()]).toEqual(["new"]);
    expect(renamed.size).toBe(0);
  });

  it("are known again by their legs when a restart gave them another id", () => {
    const board = new Board();
    const legs = [leg("x")];
    board.call(call("old", { legs }));
    const renamed = board.replace({ epoch: "e", now: 1, keep_ended: 300, calls: [call("new", { legs })], links: [] });
    expect([...renamed]).toEqual([["old", "new"]]);
  });

  it("are known again by their legs when they are told under another id", () => {
    const board = new Board();
    board.call(call("old", { legs: [leg("x")] }));
    expect(board.call(call("new", { legs: [leg("x"), leg("y")] }))).toBe("old");
    expect([...board.calls.keys()]).toEqual(["new"]);
  });

  it("that merge are no such thing: the younger stays and says what it became", () => {
    const board = new Board();
    board.call(call("older", { legs: [leg("x")] }));
    board.call(call("younger", { legs: [leg("y")] }));
    expect(board.call(call("younger", { legs: [], state: "ended", merged_into: "older" }))).toBeNull();
    expect(board.call(call("older", { legs: [leg("x"), leg("y")] }))).toBeNull();
    expect(board.calls.get("younger")?.merged_into).toBe("older");
  });

  it("that ended long ago are let go of, but for the one on show", () => {
    const board = new Board();
    for (const id of ["long ago", "on show", "lately"]) {
      board.call(call(id, { legs: [leg(id)], state: "ended", ended_at: id === "lately" ? 101 : 99 }));
    }
    board.call(call("live", { ended_at: null }));
    board.forget(100, "on show");
    expect([...board.calls.keys()]).toEqual(["on show", "lately", "live"]);
    expect(board.call(call("another", { legs: [leg("long ago")] }))).toBeNull();
    expect(board.call(call("anew", { legs: [leg("on show")] }))).toBe("on show");
  });

  it("with a leg id that another switch uses too stay apart", () => {
    const board = new Board();
    board.call(call("one", { legs: [leg("x")] }));
    expect(board.call(call("two", { server: "busan", legs: [leg("x")] }))).toBeNull();
    expect(board.calls.size).toBe(2);
  });
});

describe("links", () => {
  it("are down since they first were, through all tries to connect", () => {
    const board = new Board();
    board.link(link({ state: "away", since: 10 }));
    board.link(link({ state: "connecting", since: 12 }));
    board.link(link({ state: "away", since: 13 }));
    expect(board.links.get("switch:main")?.downSince).toBe(10);
    board.replace({
      epoch: "e",
      now: 1,
      keep_ended: 300,
      calls: [],
      links: [link({ state: "connecting", since: 20 })],
    });
    expect(board.links.get("switch:main")?.downSince).toBe(10);
    board.link(link({ since: 30 }));
    expect(board.links.get("switch:main")?.downSince).toBeNull();
  });

  it("were last heard of when anything they told of happened", () => {
    const board = new Board();
    expect(board.heardAt("main")).toBeNull();
    board.link(link({ last_event_at: 500 }));
    board.call(call("one", { created_at: 400, answered_at: 510 }));
    board.call(call("two", { created_at: 300, answered_at: null, ended_at: 505 }));
    board.heard("main", 508);
    expect([board.heardAt("main"), board.heardAt("busan")]).toEqual([510, null]);
  });

  it("leave a gap, told once", () => {
    const board = new Board();
    const back = link({ since: 100, gap: 40 });
    board.link(back);
    board.replace({ epoch: "e", now: 1, keep_ended: 300, calls: [], links: [back] });
    board.link(link({ since: 100, gap: null }));
    expect(board.gaps).toEqual([{ server: "main", from: 60, to: 100 }]);
  });
});
