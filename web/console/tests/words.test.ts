import { describe, expect, it } from "vitest";

import { ApiError, retryAfter } from "../src/api/rest";
import { firstLanguage, messages } from "../src/i18n/messages";
import { showNumber } from "../src/i18n/numbers";
import { agoOf, spanOf } from "../src/i18n/spans";
import { clock, inCall, length } from "../src/i18n/times";
import { explain } from "../src/session/explain";
import { hashOf, parsePlace } from "../src/shell/route.svelte";

describe("numbers", () => {
  it.each([
    ["01012345678", "010-1234-5678"],
    ["010****5678", "010-****-5678"],
    ["0212345678", "02-1234-5678"],
    ["021234567", "02-123-4567"],
    ["0311234567", "031-123-4567"],
    ["050712345678", "0507-1234-5678"],
    ["15880000", "1588-0000"],
    ["+821012345678", "+82 10-1234-5678"],
    ["+14155550100", "+14155550100"],
    ["1002", "1002"],
    ["anonymous", "anonymous"],
    ["", ""],
  ])("%s is shown as %s", (number, shown) => {
    expect(showNumber(number)).toBe(shown);
  });
});

describe("times", () => {
  it("count minutes, and hours where there are any", () => {
    expect([length(0), length(7.9), length(760), length(3723), length(-4)]).toEqual([
      "0:00",
      "0:07",
      "12:40",
      "1:02:03",
      "0:00",
    ]);
  });

  it("in a call run from the answer, with a minus before it; unanswered it is the time of day", () => {
    expect(inCall(1065, 1000, "ko")).toBe("1:05");
    expect(inCall(988, 1000, "ko")).toBe("−0:12");
    expect(inCall(999.5, 1000, "ko")).toBe("0:00");
    expect(inCall(1065, null, "ko")).toBe(clock(1065, "ko"));
    expect(clock(1065, "ko")).toMatch(/^\d\d:\d\d:\d\d$/);
  });

  it("are put in words", () => {
    const { ko, en } = messages;
    expect([12, 60, 65, 3700].map((seconds) => spanOf(seconds, ko))).toEqual(["12초", "1분", "1분 5초", "1시간 1분"]);
    expect([12, 60, 65, 3700].map((seconds) => spanOf(seconds, en))).toEqual([
      "12 s",
      "1 min",
      "1 min 5 s",
      "1 h 1 min",
    ]);
    expect([agoOf(99, 100, ko), agoOf(90, 100, ko)]).toEqual(["방금", "10초 전"]);
  });
});

describe("language", () => {
  it("is the one chosen, else the browser's first that we speak, else Korean", () => {
    expect(firstLanguage("en", ["ko-KR"])).toBe("en");
    expect(firstLanguage(null, ["fr-FR", "en-GB", "ko"])).toBe("en");
    expect(firstLanguage("nonsense", ["ko-KR", "en"])).toBe("ko");
    expect(firstLanguage(null, ["fr"])).toBe("ko");
  });

  it("has every word in both", () => {
    const words = (table: object, path = ""): string[] =>
      Object.entries(table).flatMap(([key, value]) =>
        typeof value === "object" ? words(value as object, `${path}${key}.`) : [`${path}${key}:${typeof value}`],
      );
    expect(words(messages.en)).toEqual(words(messages.ko));
    expect(Object.values(messages.en).filter((word) => typeof word === "string" && /[가-힣]/.test(word))).toEqual([]);
  });
});

describe("errors", () => {
  it.each([0, 400, 401, 403, 404, 422, 429, 500, 503])("with status %i have words of ours", (status) => {
    const words = explain(new ApiError(status, "Title of the server"), messages.ko);
    expect(words).toMatch(/[가-힣]/);
    expect(words).not.toContain("Title of the server");
  });

  it("we do not know are told as the server tells them", () => {
    expect(explain(new ApiError(418, "A teapot", "Short and stout."), messages.en)).toBe("A teapot: Short and stout.");
  });

  it("say when to try again, in seconds or as a date", () => {
    expect(retryAfter("30")).toBe(30);
    expect(retryAfter("Thu, 01 Jan 1970 00:01:00 GMT", 30_500)).toBe(30);
    expect(retryAfter("Thu, 01 Jan 1970 00:00:00 GMT", 30_500)).toBe(0);
    expect([retryAfter(null), retryAfter(""), retryAfter("soon")]).toEqual([null, null, null]);
  });
});

describe("addresses", () => {
  it("name a place and are read back", () => {
    for (const place of [
      { section: "calls", callId: null },
      { section: "calls", callId: "0198f3a2-0000-7000-8000-000000000001" },
      { section: "calls", callId: "a b/c" },
    ] as const) {
      expect(parsePlace(hashOf(place))).toEqual(place);
    }
  });

  it.each(["", "#", "#/", "#/nowhere/1", "#/calls/%E0%A4%A", "#/calls/a/b"])("%j leads to the calls", (hash) => {
    expect(parsePlace(hash)).toEqual({ section: "calls", callId: null });
  });
});
