/**
 * Watching one call: what it asks the server for, and the dialogue that the answers make.
 *
 * A watch names the last seq held and the numbering it belongs to, so that after any break the server sends what is
 * missing and nothing twice; under another numbering it answers with `reset` and the whole.
 */

import type { Socket } from "socket.io-client";

import type { Answer, ClientEvents, ResetPayload, ServerEvents, Utterance } from "../api/payloads";
import { Dialogue } from "../transcript/dialogue";

/** Dialogues kept after they are left, so that coming back asks only for what is new. */
const KEPT_DIALOGUES = 20;
const ANSWER_TIMEOUT_MS = 10_000;
const AGAIN_MS = 1_000;
const HOLE_MS = 2_000;

export type LiveSocket = Socket<ServerEvents, ClientEvents>;

/** `paused`: nothing is received, by our own wish. */
export type Phase = "loading" | "live" | "failed" | "paused";

export class Watch {
  /** The call being watched. */
  callId: string | null = null;
  phase: Phase = "loading";
  problem: { title: string; detail: string } | null = null;

  readonly #changed: () => void;
  readonly #dialogues = new Map<string, Dialogue>();
  #socket: LiveSocket | null = null;
  /** Counts what was asked: an answer to anything but the last is of no interest. */
  #asked = 0;
  #holeTried = -1;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  /** `changed` is called after every change that a message of the server made. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** What is held of the call, in order of speech. */
  utterances(): readonly Utterance[] {
    return (this.callId === null ? undefined : this.#dialogues.get(this.callId))?.inOrder() ?? [];
  }

  /** The server has told all there is now: ask it for the rest. */
  connected(socket: LiveSocket): void {
    this.#socket = socket;
    this.#ask();
  }

  /** The connection is gone, and the answer to what was asked with it. */
  lost(): void {
    this.#socket = null;
    this.#asked += 1;
    if (this.phase === "live") this.phase = "loading";
  }

  /** Watch this call and no other; null watches none. */
  select(callId: string | null): void {
    this.#leave();
    this.callId = callId;
    this.#restart();
  }

  /** Ask again for a dialogue that could not be had. */
  again(): void {
    this.#restart();
  }

  /** Receive nothing until {@link resume}; what is missed is caught up then. */
  pause(): void {
    if (this.phase === "paused") return;
    this.#leave();
    this.phase = "paused";
  }

  resume(): void {
    if (this.phase === "paused") this.#restart();
  }

  /** Whether it is a final of the watched call, and news rather than what was missed. */
  accept(utterance: Utterance): boolean {
    const watched = utterance.call_id === this.callId && this.phase !== "paused";
    // An interim of a call we have left would stand for ever; its finals are as good as any.
    if (!watched && !utterance.final) return false;
    const dialogue = this.#dialogues.get(utterance.call_id);
    if (dialogue === undefined || !dialogue.accept(utterance) || !watched) return false;
    this.#changed();
    if (!utterance.final || this.phase !== "live") return false;
    if (dialogue.hasHole) this.#mend(dialogue);
    return true;
  }

  reset({ epoch, call_id, utterances }: ResetPayload): void {
    for (const dialogue of this.#dialogues.values()) {
      if (call_id === dialogue.callId) dialogue.reset(epoch, utterances);
      if (call_id === "*")
        dialogue.reset(
          epoch,
          utterances.filter((one) => one.call_id === dialogue.callId),
        );
    }
    this.#changed();
  }

  /** Forget everything. */
  clear(): void {
    this.lost();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#dialogues.clear();
    this.callId = null;
    this.phase = "loading";
    this.problem = null;
  }

  #restart(): void {
    this.phase = "loading";
    this.problem = null;
    this.#ask();
  }

  #ask(): void {
    if (this.callId === null || this.phase === "paused") return;
    const callId = this.callId;
    const dialogue = this.#hold(callId);
    if (this.#socket?.connected !== true) return;
    const asked = ++this.#asked;
    dialogue.doubtInterims();
    this.#socket
      .timeout(ANSWER_TIMEOUT_MS)
      .emitWithAck("watch", { call_id: callId, after: { [callId]: dialogue.contiguous }, epoch: dialogue.epoch })
      .then(
        (answer) => {
          if (asked === this.#asked) this.#answered(dialogue, answer);
        },
        () => {
          // No answer in time, or the connection went: then the next one asks.
          this.#later(AGAIN_MS, () => {
            if (asked === this.#asked) this.#ask();
          });
        },
      );
  }

  #answered(dialogue: Dialogue, answer: Answer): void {
    if ("error" in answer) {
      this.phase = "failed";
      this.problem = { title: answer.error.title, detail: answer.error.detail ?? "" };
    } else {
      this.phase = "live";
      this.problem = null;
      dialogue.dropDoubtful();
      dialogue.settle();
      // Nothing held belongs to any numbering, so it may take the server's without waiting for a reset.
      if (dialogue.isEmpty && answer.epoch !== undefined) dialogue.epoch = answer.epoch;
    }
    this.#changed();
  }

  /** A final before this one did not come. It may be on its way; if not, asking again brings it, or nothing does. */
  #mend(dialogue: Dialogue): void {
    if (this.#holeTried === dialogue.contiguous) return;
    this.#holeTried = dialogue.contiguous;
    this.#later(HOLE_MS, () => {
      if (dialogue.callId === this.callId && dialogue.hasHole && dialogue.contiguous === this.#holeTried) this.#ask();
    });
  }

  #leave(): void {
    this.#asked += 1;
    this.#holeTried = -1;
    if (this.callId === null || this.phase === "paused" || this.#socket?.connected !== true) return;
    this.#socket.emit("unwatch", { call_id: this.callId }, () => {});
  }

  /** The dialogue of that call, now the most recently used one. */
  #hold(callId: string): Dialogue {
    const dialogue = this.#dialogues.get(callId) ?? new Dialogue(callId);
    this.#dialogues.delete(callId);
    this.#dialogues.set(callId, dialogue);
    for (const oldest of this.#dialogues.keys()) {
      if (this.#dialogues.size <= KEPT_DIALOGUES) break;
      this.#dialogues.delete(oldest);
    }
    return dialogue;
  }

  #later(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
  }
}
