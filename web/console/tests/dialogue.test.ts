import { describe, expect, it } from "vitest";

import { Dialogue } from "../src/transcript/dialogue";
import { final, utterance } from "./examples";

const texts = (dialogue: Dialogue): string[] => dialogue.inOrder().map((one) => one.text);

describe("interims and finals", () => {
  it("replaces an interim by the next and by its final", () => {
    const dialogue = new Dialogue("call-1");
    dialogue.accept(utterance("u1", { text: "안녕" }));
    dialogue.accept(utterance("u1", { text: "안녕하" }));
    expect(texts(dialogue)).toEqual(["안녕하"]);
    dialogue.accept(final(1, { text: "안녕하세요" }));
    expect(texts(dialogue)).toEqual(["안녕하세요"]);
    expect(dialogue.inOrder()[0]?.final).toBe(true);
  });

  it("never lets a late interim overwrite a final", () => {
    const dialogue = new Dialogue("call-1");
    dialogue.accept(final(1, { text: "안녕하세요" }));
    expect(dialogue.accept(utterance("u1", { text: "안녕" }))).toBe(false);
    expect(texts(dialogue)).toEqual(["안녕하세요"]);
  });

  it("never changes nor doubles a final", () => {
    const dialogue = new Dialogue("call-1");
    dialogue.accept(final(1));
    expect(dialogue.accept(final(1, { text: "something else" }))).toBe(false);
    expect(texts(dialogue)).toEqual(["u1"]);
  });

  it("takes back a stretch that came to nothing", () => {
    const dialogue = new Dialogue("call-1");
    dialogue.accept(utterance("u1"));
    expect(dialogue.accept(utterance("u1", { text: "" }))).toBe(true);
    expect(dialogue.accept(utterance("u1", { text: "" }))).toBe(false);
    expect(texts(dialogue)).toEqual([]);
  });

  it("drops only the interims that the server does not tell again", () => {
    const dialogue = new Dialogue("call-1");
    dialogue.accept(utterance("old"));
    dialogue.accept(utterance("standing"));
    dialogue.doubtInterims();
    dialogue.accept(utterance("standing", { text: "standing still" }));
    expect(dialogue.dropDoubtful()).toBe(true);
    expect(texts(dialogue)).toEqual(["standing still"]);
    expect(dialogue.dropDoubtful()).toBe(false);
  });
});

describe("order", () => {
  it("is that of speech, not of arrival; of one moment by seq, and what has no seq last", () => {
    const dialogue = new Dialogue("call-1");
    for (const one of [
      final(3, { said_at: 30 }),
      utterance("now", { said_at: 20 }),
      final(2, { said_at: 20 }),
      final(4, { said_at: 10 }),
      final(1, { said_at: 20 }),
    ]) {
      dialogue.accept(one);
    }
    expect(texts(dialogue)).toEqual(["u4", "u1", "u2", "now", "u3"]);
  });

  it("is the same whatever the order of arrival", () => {
    const all = Array.from({ length: 60 }, (_, index) => final(index + 1, { said_at: 1000 + ((index * 7) % 20) }));
    const expected = [...all].sort((a, b) => a.said_at - b.said_at || a.seq - b.seq).map((one) => one.text);
    for (let step = 1; step < all.length; step += 2) {
      if (all.length % step === 0 && step > 1) continue;
      const dialogue = new Dialogue("call-1");
      for (let index = 0; index < all.length; index += 1) dialogue.accept(all[(index * step) % all.length]!);
      for (const one of all) dialogue.accept(one);
      expect(texts(dialogue)).toEqual(expected);
    }
  });
});

describe("what is held", () => {
  it("counts the seqs without a hole", () => {
    const dialogue = new Dialogue("call-1");
    for (const seq of [1, 2, 4]) dialogue.accept(final(seq));
    expect([dialogue.contiguous, dialogue.hasHole]).toEqual([2, true]);
    dialogue.accept(final(3));
    expect([dialogue.contiguous, dialogue.hasHole]).toEqual([4, false]);
  });

  it("gives up on seqs that the server does not have", () => {
    const dialogue = new Dialogue("call-1");
    for (const seq of [1, 2, 5]) dialogue.accept(final(seq));
    dialogue.settle();
    expect([dialogue.contiguous, dialogue.hasHole]).toEqual([5, false]);
    dialogue.accept(final(6));
    expect(dialogue.contiguous).toBe(6);
  });

  it("is what a reset says and nothing else", () => {
    const dialogue = new Dialogue("call-1");
    for (const seq of [1, 2, 3, 9]) dialogue.accept(final(seq));
    dialogue.accept(utterance("now"));
    dialogue.reset("epoch-2", [final(1, { utterance_id: "other", text: "other" })]);
    expect(texts(dialogue)).toEqual(["other"]);
    expect([dialogue.epoch, dialogue.contiguous, dialogue.hasHole]).toEqual(["epoch-2", 1, false]);
  });
});
