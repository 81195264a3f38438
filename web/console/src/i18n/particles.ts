/** Korean particles, which have one form after a vowel and another after a consonant, by how a word is read aloud. */

/** A particle by its form after a consonant. */
export type Particle = "은" | "이" | "을" | "으로";

/** How a word ends in speech: on a vowel, on ㄹ, or on another consonant. */
type Ending = "vowel" | "l" | "consonant";

const AFTER_VOWEL: Record<Particle, string> = { 은: "는", 이: "가", 을: "를", 으로: "로" };
const BOTH: Record<Particle, string> = { 은: "은(는)", 이: "이(가)", 을: "을(를)", 으로: "(으)로" };

/** Numbers are read digit by digit: 영 일 이 삼 사 오 육 칠 팔 구, and the keys beside them 별표 and 우물 정. */
const READ: Readonly<Record<string, Ending>> = {
  "0": "consonant",
  "1": "l",
  "2": "vowel",
  "3": "consonant",
  "4": "vowel",
  "5": "vowel",
  "6": "consonant",
  "7": "l",
  "8": "l",
  "9": "vowel",
  "*": "vowel",
  "#": "consonant",
};

const FIRST_SYLLABLE = 0xac00;
const LAST_SYLLABLE = 0xd7a3;
/** The forms of a syllable with the same beginning: without a final consonant, and with each of them. */
const FINALS = 28;
const FINAL_L = 8;

/** The word with its particle; with both forms, as it is written then, where nobody can say how it is read. */
export function withParticle(word: string, particle: Particle): string {
  switch (endingOf(word)) {
    case "vowel":
      return word + AFTER_VOWEL[particle];
    case "l":
      return word + (particle === "으로" ? AFTER_VOWEL[particle] : particle);
    case "consonant":
      return word + particle;
    case null:
      return word + BOTH[particle];
  }
}

/** Null for letters of other scripts, which stand for different sounds in different words. */
function endingOf(word: string): Ending | null {
  const last = word.normalize("NFC").match(/[\p{L}\p{N}*#](?=[^\p{L}\p{N}*#]*$)/u)?.[0] ?? "";
  const code = last.codePointAt(0) ?? 0;
  if (code < FIRST_SYLLABLE || code > LAST_SYLLABLE) return READ[last] ?? null;
  const final = (code - FIRST_SYLLABLE) % FINALS;
  if (final === 0) return "vowel";
  return final === FINAL_L ? "l" : "consonant";
}
