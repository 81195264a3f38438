import { describe, expect, it } from "vitest";

import { arrange, calleeOf, duration, isPlaced, nameOf, oursOf, partyOf, personOf } from "../src/calls/arrange";
import { call, leg } from "./examples";

const KEEP = 300;

const ids = (calls: readonly { call_id: string }[]): string[] => calls.map((one) => one.call_id);

describe("the list", () => {
  it("has live calls newest first, then ended ones last ended first", () => {
    const arranged = arrange(
      [
        call("old", { created_at: 1 }),
        call("over", { state: "ended", ended_at: 990 }),
        call("new", { created_at: 9 }),
        call("just over", { state: "ended", ended_at: 999, created_at: 0 }),
      ],
      "",
      1000,
      KEEP,
    );
    expect(ids(arranged.live)).toEqual(["new", "old"]);
    expect(ids(arranged.ended)).toEqual(["just over", "over"]);
  });

  it("leaves out merged calls, and ended ones after a while", () => {
    const calls = [
      call("merged", { merged_into: "other" }),
      call("gone", { state: "ended", ended_at: 1000 - KEEP - 1 }),
      call("going", { state: "ended", ended_at: 1000 - KEEP }),
    ];
    expect(ids(arrange(calls, "", 1000, KEEP).ended)).toEqual(["going"]);
    expect(arrange(calls, "", 1000, KEEP).live).toEqual([]);
  });

  it.each([
    ["5678", ["a"]],
    ["010-1234-5678", ["a"]],
    ["이서연", ["b"]],
    ["ORDER", ["b"]],
    ["order 1002", ["b"]],
    ["order 1003", []],
    ["보류", ["b"]],
    ["  ", ["a", "b"]],
  ])("finds by %j", (filter, found) => {
    const calls = [
      call("a", { caller: "01012345678", created_at: 1001 }),
      call("b", { caller: "01000001111", caller_name: "이서연", code: "order", legs: [leg("x", { caller: "1002" })] }),
    ];
    const words = (one: { call_id: string }): string => (one.call_id === "b" ? "보류" : "통화 중");
    expect(ids(arrange(calls, filter, 1000, KEEP, words).live)).toEqual(found);
  });
});

describe("a call", () => {
  it("lasts from its answer, else from its beginning, to its end or now", () => {
    expect(duration(call("a", { answered_at: 1005 }), 1010)).toBe(5);
    expect(duration(call("a", { answered_at: null }), 1010)).toBe(10);
    expect(duration(call("a", { ended_at: 1007 }), 1010)).toBe(2);
    expect(duration(call("a", { answered_at: 1011 }), 1010)).toBe(0);
  });

  it("is talked to by whom it was connected to, last of all", () => {
    const first = leg("a");
    const left = leg("b", { callee: "1001", state: "ended" });
    const there = leg("c", { callee: "1002" });
    const silent = leg("d", { callee: "1003", state: "ended", answered_at: null });
    expect(calleeOf(call("x", { callee: "1009", legs: [first, there] }))).toBe("1009");
    expect(calleeOf(call("x", { legs: [first, left, there, silent] }))).toBe("1002");
    expect(calleeOf(call("x", { legs: [first, left, silent] }))).toBe("1001");
    expect(calleeOf(call("x", { legs: [first] }))).toBe("");
  });

  it("has on its other legs whom it called, and who called in and was connected", () => {
    const one = call("x", { caller: "01012345678" });
    expect(partyOf(leg("a", { direction: "inbound", caller: "01012345678", callee: "15880000" }), one)).toBe(
      "15880000",
    );
    expect(partyOf(leg("b", { direction: "outbound", caller: "01012345678", callee: "1002" }), one)).toBe("1002");
    expect(partyOf(leg("c", { direction: "inbound", caller: "01000001111", callee: "15880001" }), one)).toBe(
      "01000001111",
    );
    expect(partyOf(leg("loopback", { direction: "inbound", caller: "01012345678", callee: "9197" }), one)).toBe("9197");
    const called = leg("c", { direction: "inbound", caller: "01000001111", callee: "15880001" });
    expect(calleeOf(call("x", { legs: [leg("a"), called] }))).toBe("01000001111");
  });

  it("is about who was called, where the switch placed it", () => {
    const called = leg("called", { direction: "outbound", caller: "0212345678", callee: "01087654321" });
    const numbers = { caller: "0212345678", caller_name: "Parley", did: "01087654321", callee: "01087654321" };
    const placed = call("x", { ...numbers, legs: [called] });
    expect([isPlaced(placed), personOf(placed), oursOf(placed)]).toEqual([true, "01087654321", "0212345678"]);
    expect([nameOf(placed), calleeOf(placed)]).toEqual(["", ""]);
    const onward = { ...placed, callee: "1001", legs: [called, leg("person", { direction: "outbound" })] };
    expect([personOf(onward), calleeOf(onward)]).toEqual(["01087654321", "1001"]);
    const came = call("y", { caller: "01012345678", did: "15880000", legs: [leg("a"), called] });
    expect([isPlaced(came), personOf(came), oursOf(came)]).toEqual([false, "01012345678", "15880000"]);
    expect(isPlaced({ ...placed, origin: "dipcast" })).toBe(false);
  });

  it("has no name where that only repeats the number", () => {
    expect(nameOf(call("a", { caller: "1001", caller_name: "1001" }))).toBe("");
    expect(nameOf(call("a", { caller_name: "이서연" }))).toBe("이서연");
  });
});
