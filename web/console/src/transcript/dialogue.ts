/**
 * The utterances of one call as this page holds them.
 *
 * Each stands once, in order of speech. A final never changes; interims of a stretch replace each other until the
 * final that carries their `utterance_id` takes their place, and one that comes after it is too late.
 */

import type { Utterance } from "../api/payloads";

/** By when it was said, then by seq; what has no seq yet comes after what has. */
function compare(a: Utterance, b: Utterance): number {
  return a.said_at - b.said_at || (a.seq || Infinity) - (b.seq || Infinity) || 0;
}

export class Dialogue {
  /** The numbering that our seqs belong to; empty while nothing is held. */
  epoch = "";
  /** The seq up to which every final is held. */
  contiguous = 0;

  readonly #finals: Utterance[] = [];
  readonly #ids = new Set<string>();
  readonly #ahead = new Set<number>();
  readonly #interims = new Map<string, Utterance>();
  readonly #doubtful = new Set<string>();

  constructor(readonly callId: string) {}

  /** Take in what the server sent; whether anything is different now. */
  accept(utterance: Utterance): boolean {
    return utterance.final ? this.#final(utterance) : this.#interim(utterance);
  }

  /** Hold these and nothing else. */
  reset(epoch: string, utterances: readonly Utterance[]): void {
    this.#finals.length = 0;
    this.#ids.clear();
    this.#ahead.clear();
    this.#interims.clear();
    this.#doubtful.clear();
    this.contiguous = 0;
    this.epoch = epoch;
    for (const utterance of utterances) this.accept(utterance);
  }

  /** The server has told all there is up to now: what is left out of the numbering does not exist. */
  settle(): void {
    for (const seq of this.#ahead) this.contiguous = Math.max(this.contiguous, seq);
    this.#ahead.clear();
  }

  get isEmpty(): boolean {
    return this.#finals.length === 0;
  }

  /** Whether a final is missing between those that are held. */
  get hasHole(): boolean {
    return this.#ahead.size > 0;
  }

  /** The server will tell again what is being said: what it does not repeat until {@link dropDoubtful} is over. */
  doubtInterims(): void {
    for (const id of this.#interims.keys()) this.#doubtful.add(id);
  }

  /** Whether anything went. */
  dropDoubtful(): boolean {
    let dropped = false;
    for (const id of this.#doubtful) dropped = this.#interims.delete(id) || dropped;
    this.#doubtful.clear();
    return dropped;
  }

  /** All of it in order of speech, a new array each time. */
  inOrder(): Utterance[] {
    const all = this.#finals.slice();
    for (const interim of this.#interims.values()) insert(all, interim);
    return all;
  }

  #final(utterance: Utterance): boolean {
    if (this.#ids.has(utterance.utterance_id)) return false;
    this.#ids.add(utterance.utterance_id);
    this.#forgetInterim(utterance.utterance_id);
    insert(this.#finals, utterance);
    if (utterance.seq > this.contiguous) this.#ahead.add(utterance.seq);
    while (this.#ahead.delete(this.contiguous + 1)) this.contiguous += 1;
    return true;
  }

  #interim(utterance: Utterance): boolean {
    if (this.#ids.has(utterance.utterance_id)) return false;
    // An empty one withdraws a stretch that came to nothing.
    if (utterance.text === "") return this.#forgetInterim(utterance.utterance_id);
    this.#doubtful.delete(utterance.utterance_id);
    this.#interims.set(utterance.utterance_id, utterance);
    return true;
  }

  #forgetInterim(id: string): boolean {
    this.#doubtful.delete(id);
    return this.#interims.delete(id);
  }
}

/** Most belong at the end, so the search begins there. */
function insert(ordered: Utterance[], utterance: Utterance): void {
  let high = ordered.length;
  if (high > 0 && compare(ordered[high - 1]!, utterance) > 0) {
    let low = 0;
    high -= 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(ordered[middle]!, utterance) <= 0) low = middle + 1;
      else high = middle;
    }
  }
  ordered.splice(high, 0, utterance);
}
