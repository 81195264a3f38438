import { describe, expect, it } from "vitest";

import { savePerson, type MailSettings, type Person } from "../src/api/people";
import { ApiError } from "../src/api/rest";
import { messages } from "../src/i18n/messages";
import { called, draftOf, isElsewhere, isFound, mailWish, portWith, wishOf } from "../src/people/drafts";
import { explainPeople, explainTrial, reasonOf } from "../src/people/explain";
import { hashOf, parsePlace } from "../src/shell/route.svelte";

const mina: Person = {
  name: "mina",
  full_name: "김미나",
  email: "mina@example.com",
  team: "영업팀",
  role: "operator",
  extension: "2001",
  tenant: "main",
  may_sign_in: true,
  in_webex: false,
  tgday: null,
};

const stored: MailSettings = {
  account: {
    sender: "parley@example.com",
    host: "mail.example.com",
    port: 587,
    tls: "starttls",
    recipient: "lead@example.com",
  },
  has_password: true,
  is_stored: true,
  problem: "",
  has_key: true,
};

describe("a person", () => {
  it.each([".", ".."])("is not called %s, which no address ends in", async (name) => {
    const refused = await (async () => savePerson(name, wishOf(mina)))().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ApiError);
    expect(explainPeople(refused as ApiError, messages.ko)).toBe("마침표 하나나 둘은 이름이 될 수 없습니다.");
  });

  it("is called by name, else as they sign in", () => {
    expect([called(mina), called({ ...mina, full_name: "" })]).toEqual(["김미나", "mina"]);
  });

  it.each([
    ["", true],
    ["미나", true],
    ["MINA@", true],
    ["영업 2001", true],
    ["미나".normalize("NFD"), true],
    ["영업 3001", false],
    ["main", false],
  ])("is found by %j: %s", (words, found) => {
    expect(isFound(mina, words)).toBe(found);
  });

  it("begins as a viewer of whom nothing is known, and else as they are", () => {
    expect(wishOf(null)).toEqual({ role: "viewer", full_name: "", email: "", team: "", extension: "", tenant: "" });
    expect(wishOf(mina)).toEqual({
      role: "operator",
      full_name: "김미나",
      email: "mina@example.com",
      team: "영업팀",
      extension: "2001",
      tenant: "main",
    });
  });
});

describe("mail", () => {
  it("takes the usual port with another encryption, and leaves an unusual one", () => {
    expect(portWith("implicit", "starttls", 587)).toBe(465);
    expect(portWith("none", "implicit", 465)).toBe(25);
    expect(portWith("implicit", "starttls", 2525)).toBe(2525);
  });

  it.each([
    [{}, false],
    [{ recipient: "other@example.com" }, false],
    [{ host: " mail.example.com ", sender: "Parley@example.com" }, false],
    [{ host: "mail.example.net" }, true],
    [{ port: 25 }, true],
    [{ tls: "none" as const }, true],
    [{ sender: "other@example.com" }, true],
  ])("that is changed by %j is for the password elsewhere: %s", (changed, elsewhere) => {
    expect(isElsewhere(stored, { ...draftOf(stored), ...changed })).toBe(elsewhere);
    expect(isElsewhere({ ...stored, has_password: false }, { ...draftOf(stored), ...changed })).toBe(false);
  });

  it("sends a password only where one was typed, or is to go", () => {
    const draft = draftOf(stored);
    expect(mailWish(draft, "", false)).toEqual(draft);
    expect(mailWish(draft, "secret", false)).toEqual({ ...draft, password: "secret" });
    expect(mailWish(draft, "secret", true)).toEqual({ ...draft, password: "" });
    expect(draftOf({ ...stored, account: null })).toMatchObject({ port: 587, tls: "starttls" });
  });
});

describe("what is refused", () => {
  it.each([0, 401, 403, 404, 409, 422, 500])("with status %i has words of ours", (status) => {
    for (const explain of [explainPeople, explainTrial]) {
      expect(explain(new ApiError(status, "Title"), messages.ko)).toMatch(/[가-힣]/);
    }
  });

  it("says what the server says of it", () => {
    const taken = new ApiError(409, "Not possible", "That e-mail address is jun's.");
    expect(explainPeople(taken, messages.en)).toBe("That e-mail address is somebody else's: jun");
    const unknown = new ApiError(409, "Not possible", "It cannot be.");
    expect(explainPeople(unknown, messages.en)).toBe("That is not possible. (It cannot be.)");
    for (const status of [502, 503]) {
      const refused = new ApiError(status, "Not sent", "550 No such user.");
      expect(explainTrial(refused, messages.ko)).toContain("550 No such user.");
    }
  });

  it.each([
    ["That e-mail address is jun's.", "이미 다른 사람의 이메일입니다: jun"],
    ["That e-mail address is another's.", "이미 다른 사람의 이메일입니다."],
    ["the mail server refused: 550 No such user", "메일 서버가 거절했습니다: 550 No such user"],
    ["TLS with the mail server failed: WRONG_VERSION_NUMBER.", "메일 서버와 TLS로 연결하지 못했습니다."],
  ])("says %s in the reader's words", (detail, said) => {
    expect(reasonOf(detail, messages.ko)).toBe(said);
    expect(reasonOf(detail, messages.en)).not.toMatch(/[가-힣]/);
  });

  it("says nothing for the server where nobody knows what it meant", () => {
    expect(reasonOf("", messages.ko)).toBeNull();
    expect(reasonOf("Something else.", messages.ko)).toBeNull();
  });
});

describe("the page", () => {
  it("has an address, with nothing open in it", () => {
    const place = { section: "people", callId: null } as const;
    expect(hashOf(place)).toBe("#/people");
    expect(parsePlace("#/people")).toEqual(place);
    expect(parsePlace("#/people/mina")).toEqual(place);
  });
});
