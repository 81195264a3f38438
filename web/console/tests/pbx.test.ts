import { describe, expect, it } from "vitest";

import { KINDS, type Diversion } from "../src/api/pbx";
import { ApiError } from "../src/api/rest";
import { messages } from "../src/i18n/messages";
import { bare, forwardsInWords, inWords, isChanged, isStored } from "../src/pbx/diversions";
import { explainPbx, mayBeOther } from "../src/pbx/explain";

const stored = (known: Partial<Diversion> = {}): Diversion => ({
  kind: "BUSY",
  enabled: true,
  destination: "01012345678",
  in_effect: true,
  agreed: true,
  summary: "",
  version: "v1",
  servers: [],
  ...known,
});

describe("a diversion", () => {
  it.each([
    [true, "01012345678", "forwards to 010-1234-5678"],
    [true, "", "without a destination"],
    [false, "01012345678", "010-1234-5678"],
    [false, "", "off"],
  ])("that is enabled: %s, to %j, says so", (enabled, destination, says) => {
    expect(inWords({ enabled, destination }, messages.en).toLowerCase()).toContain(says);
    expect(inWords({ enabled, destination }, messages.ko)).not.toBe("");
  });

  it("works only when it is on and has a destination, and every case has words of its own", () => {
    const cases = [true, false].flatMap((enabled) =>
      ["1011", ""].map((destination) => inWords({ enabled, destination }, messages.ko)),
    );
    expect(new Set(cases).size).toBe(4);
  });

  it("is not changed by hyphens and spaces, which are for people", () => {
    expect(bare("010-1234 5678")).toBe("01012345678");
    expect(isChanged(stored(), { enabled: true, destination: "010-1234-5678" })).toBe(false);
    expect(isChanged(stored(), { enabled: true, destination: "010-1234-5679" })).toBe(true);
    expect(isChanged(stored(), { enabled: false, destination: "01012345678" })).toBe(true);
    expect(isChanged(stored(), { enabled: true, destination: "" })).toBe(true);
  });

  it("is stored when every server says so", () => {
    const wanted = { enabled: true, destination: "01012345678" };
    expect(isStored(stored(), wanted)).toBe(true);
    expect(isStored(stored({ agreed: false }), wanted)).toBe(false);
    expect(isStored(stored({ destination: "1011" }), wanted)).toBe(false);
  });

  it.each(KINDS)("of the kind %s has words for what it does to a call, in both languages", (kind) => {
    for (const t of [messages.ko, messages.en]) {
      expect(t.pbx.diversions.kinds[kind]).not.toBe("");
      const said = t.pbx.click.forwards[kind]("1010", "010-1234-5678");
      expect(said).toContain("1010");
      expect(said).toContain("010-1234-5678");
    }
  });
});

describe("a call from an extension that is forwarded", () => {
  const busy = { kind: "BUSY", destination: "01012345678" } as const;
  const away = { kind: "UNAVAILABLE", destination: "1011" } as const;

  it("says what each diversion does", () => {
    const said = forwardsInWords({ caller: "1010", forwards: [busy, away], forwards_unread: false }, messages.en);
    expect(said).toEqual([
      "1010 forwards to 010-1234-5678 when it is busy.",
      "1010 forwards to 1011 when it is unavailable.",
    ]);
  });

  it.each([messages.ko, messages.en])("says when that is not known", (t) => {
    const [said, ...others] = forwardsInWords({ caller: "1010", forwards: [], forwards_unread: true }, t);
    expect(said).toContain("1010");
    expect(others).toEqual([]);
    expect(forwardsInWords({ caller: "1010", forwards: [], forwards_unread: false }, t)).toEqual([]);
  });
});

describe("what the PBX does not do", () => {
  it.each([
    [412, true],
    [422, false],
    [429, false],
    [500, true],
    [502, true],
    [503, true],
    [504, true],
  ])("with status %i has what is stored read again: %s", (status, again) => {
    expect(mayBeOther(new ApiError(status, "Title"))).toBe(again);
  });

  it.each([0, 401, 403, 404, 412, 422, 429, 500, 502, 503, 504])("with status %i has words of ours", (status) => {
    const words = explainPbx(new ApiError(status, "Title of the server"), messages.ko);
    expect(words).toMatch(/[가-힣]/);
    expect(words).not.toContain("Title");
  });

  it.each([422, 502, 503, 504])("with status %i says what exactly was wrong", (status) => {
    expect(explainPbx(new ApiError(status, "Title", "a comma"), messages.ko)).toContain("(a comma)");
  });
});
