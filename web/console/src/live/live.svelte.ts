/**
 * The live view: one socket.io connection, the board of calls and links it fills, and the dialogue being watched.
 *
 * A watch names the last seq held and the numbering it belongs to, so that after any break the server sends what is
 * missing and nothing twice; under another numbering it answers with `reset` and the whole.
 */

import { io, type Socket } from "socket.io-client";

import type { Answer, Call, ClientEvents, ServerEvents, Utterance } from "../api/payloads";
import { Dialogue } from "../transcript/dialogue";
import type { Gap } from "../transcript/timeline";
import { Board, type LinkView } from "./board";
import { coalesced, nextFrame } from "./frames";

/** Dialogues kept after they are left, so that coming back asks only for what is new. */
const KEPT_DIALOGUES = 20;
const ANSWER_TIMEOUT_MS = 10_000;
const WATCH_AGAIN_MS = 1_000;
const HOLE_MS = 2_000;
const CONNECT_AGAIN_MS = 2_000;
/** A final this old is history being caught up, not news; seconds. */
const NEWS = 15;

export interface ServerLink {
  state: "connecting" | "ready" | "away";
  since: number;
}

export type Phase = "loading" | "live" | "failed" | "paused";

/** The dialogue on show. */
export interface Shown {
  callId: string;
  call: Call | null;
  utterances: readonly Utterance[];
  phase: Phase;
  problem: { title: string; detail: string } | null;
}

export interface LiveOptions {
  /** Where the server is; the page's own origin if not given. */
  url?: string;
  clock: { read(): number; correct(now: number): void };
  /** The server turned us away or cut us off: whether this account may still come back. */
  mayReturn: () => Promise<boolean>;
  /** The call on show goes on under another id (merged, or found again in the store). */
  onMoved?: (callId: string) => void;
  /** A final of the watched call, as it is said. */
  onSaid?: (utterance: Utterance) => void;
  frame?: (draw: () => void) => void;
}

export class Live {
  server: ServerLink = $state.raw({ state: "connecting", since: 0 });
  /** Whether the list of calls has been told yet. */
  told: boolean = $state(false);
  calls: readonly Call[] = $state.raw([]);
  links: readonly LinkView[] = $state.raw([]);
  gaps: readonly Gap[] = $state.raw([]);
  shown: Shown | null = $state.raw(null);
  /** When the server was last heard of, Unix seconds. Not reactive: read it with the clock's tick. */
  heardAt: number | null = null;

  readonly #options: LiveOptions;
  readonly #board = new Board();
  readonly #dialogues = new Map<string, Dialogue>();
  readonly #drawCalls: () => void;
  readonly #drawDialogue: () => void;
  #socket: Socket<ServerEvents, ClientEvents> | null = null;
  #selected: string | null = null;
  #phase: Phase = "loading";
  #problem: Shown["problem"] = null;
  #lastCall: Call | null = null;
  #paused = false;
  /** Counts watches: an answer to any but the last is of no interest. */
  #watches = 0;
  #holeTried = -1;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(options: LiveOptions) {
    this.#options = options;
    const frame = options.frame ?? nextFrame;
    this.#drawCalls = coalesced(() => this.#showCalls(), frame);
    this.#drawDialogue = coalesced(() => this.#showDialogue(), frame);
  }

  start(): void {
    if (this.#socket !== null) return;
    this.server = { state: "connecting", since: this.#options.clock.read() };
    const socket: Socket<ServerEvents, ClientEvents> = io(`${this.#options.url ?? ""}/live`, {
      transports: ["websocket"],
      reconnectionDelay: 500,
      reconnectionDelayMax: 5_000,
      randomizationFactor: 0.5,
      timeout: 10_000,
      forceNew: true,
    });
    this.#socket = socket;
    const heard = (): void => {
      this.heardAt = this.#options.clock.read();
    };
    socket.onAny(heard);
    socket.io.on("ping", heard);
    socket.on("connect", () => {
      heard();
      this.#serverIs("ready");
    });
    socket.on("disconnect", () => this.#lost(socket));
    socket.on("connect_error", () => this.#lost(socket));
    socket.on("calls", (payload) => {
      this.#options.clock.correct(payload.now);
      heard();
      const renamed = this.#board.replace(payload);
      this.told = true;
      // A long list goes on as single calls.
      this.#drawCalls();
      this.#showLinks();
      const moved = this.#selected === null ? undefined : renamed.get(this.#selected);
      if (moved !== undefined) this.#moveTo(moved);
      else this.#watch();
    });
    socket.on("call", ({ call }) => this.#call(call));
    socket.on("utterance", (utterance) => this.#utterance(utterance));
    socket.on("link", (link) => {
      this.#board.link(link);
      this.#showLinks();
    });
    socket.on("reset", ({ epoch, call_id, utterances }) => {
      for (const dialogue of this.#dialogues.values()) {
        if (call_id === dialogue.callId) dialogue.reset(epoch, utterances);
        if (call_id === "*")
          dialogue.reset(
            epoch,
            utterances.filter((one) => one.call_id === dialogue.callId),
          );
      }
      this.#drawDialogue();
    });
  }

  /** End the connection and forget everything that was told. */
  stop(): void {
    this.#socket?.disconnect();
    this.#socket?.removeAllListeners();
    this.#socket = null;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#board.clear();
    this.#dialogues.clear();
    this.#selected = null;
    this.#lastCall = null;
    this.#watches += 1;
    this.told = false;
    this.heardAt = null;
    this.#showCalls();
    this.#showLinks();
    this.#showDialogue();
  }

  /** When that switch was last heard of, Unix seconds. Not reactive: read it with the clock's tick. */
  switchHeardAt(server: string): number | null {
    return this.#board.heardAt(server);
  }

  /** Watch this call and no other; null watches none. */
  select(callId: string | null): void {
    if (callId === this.#selected) return;
    this.#unwatch();
    this.#selected = callId;
    this.#lastCall = null;
    this.#problem = null;
    this.#phase = "loading";
    if (callId !== null) this.#hold(callId);
    this.#showDialogue();
    this.#watch();
  }

  /** Ask again for a dialogue that could not be had. */
  again(): void {
    this.#phase = "loading";
    this.#problem = null;
    this.#showDialogue();
    this.#watch();
  }

  /** Receive nothing that is said until {@link resume}; what is missed is caught up then. */
  pause(): void {
    if (this.#paused) return;
    this.#unwatch();
    this.#paused = true;
    this.#phase = "paused";
    this.#showDialogue();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#phase = "loading";
    this.#showDialogue();
    this.#watch();
  }

  #call(call: Call): void {
    const before = this.#board.calls.get(call.call_id);
    const renamed = this.#board.call(call);
    this.#drawCalls();
    if (call.call_id === this.#selected) {
      this.#drawDialogue();
      // Who opens a call that had been merged before means that one.
      if (call.merged_into && before !== undefined && !before.merged_into) this.#moveTo(call.merged_into);
    } else if (renamed !== null && renamed === this.#selected) {
      this.#moveTo(call.call_id);
    }
  }

  #moveTo(callId: string): void {
    this.select(callId);
    this.#options.onMoved?.(callId);
  }

  #utterance(utterance: Utterance): void {
    const server = this.#board.calls.get(utterance.call_id)?.server;
    if (server !== undefined) this.#board.heard(server, utterance.said_at);
    const watched = utterance.call_id === this.#selected && !this.#paused;
    // An interim of a call we have left would stand for ever; its finals are as good as any.
    if (!watched && !utterance.final) return;
    const dialogue = this.#dialogues.get(utterance.call_id);
    if (dialogue === undefined || !dialogue.accept(utterance) || !watched) return;
    this.#drawDialogue();
    if (!utterance.final) return;
    if (this.#phase === "live" && this.#options.clock.read() - utterance.said_at < NEWS) {
      this.#options.onSaid?.(utterance);
    }
    if (dialogue.hasHole && this.#phase === "live") this.#mend(dialogue);
  }

  /** A final before this one did not come. It may be on its way; if not, asking again brings it, or nothing does. */
  #mend(dialogue: Dialogue): void {
    if (this.#holeTried === dialogue.contiguous) return;
    this.#holeTried = dialogue.contiguous;
    this.#later(HOLE_MS, () => {
      if (dialogue.callId === this.#selected && dialogue.hasHole && dialogue.contiguous === this.#holeTried)
        this.#watch();
    });
  }

  #watch(): void {
    const socket = this.#socket;
    const callId = this.#selected;
    if (socket === null || callId === null || this.#paused || !socket.connected || !this.told) return;
    const dialogue = this.#hold(callId);
    const watch = ++this.#watches;
    dialogue.doubtInterims();
    socket
      .timeout(ANSWER_TIMEOUT_MS)
      .emitWithAck("watch", { call_id: callId, after: { [callId]: dialogue.contiguous }, epoch: dialogue.epoch })
      .then(
        (answer) => {
          if (watch === this.#watches) this.#watching(dialogue, answer);
        },
        () => {
          // No answer in time, or the connection went: then the next one watches again.
          this.#later(WATCH_AGAIN_MS, () => {
            if (watch === this.#watches) this.#watch();
          });
        },
      );
  }

  #watching(dialogue: Dialogue, answer: Answer): void {
    if ("error" in answer) {
      this.#phase = "failed";
      this.#problem = { title: answer.error.title, detail: answer.error.detail ?? "" };
    } else {
      this.#phase = "live";
      this.#problem = null;
      dialogue.dropDoubtful();
      dialogue.settle();
      // Nothing held belongs to any numbering, so it may take the server's without waiting for a reset.
      if (dialogue.isEmpty && answer.epoch !== undefined) dialogue.epoch = answer.epoch;
    }
    this.#drawDialogue();
  }

  #unwatch(): void {
    this.#watches += 1;
    this.#holeTried = -1;
    if (this.#selected === null || this.#paused || this.#socket?.connected !== true) return;
    this.#socket.emit("unwatch", { call_id: this.#selected }, () => {});
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

  #lost(socket: Socket<ServerEvents, ClientEvents>): void {
    if (this.#socket !== socket) return;
    this.#serverIs("away");
    // The answer to a standing watch will not come.
    this.#watches += 1;
    if (this.#phase === "live") this.#phase = "loading";
    void this.#options.mayReturn().then((may) => {
      // While it is active, socket.io tries again by itself; when the server sent us away, it does not.
      if (!may || socket.active) return;
      this.#later(CONNECT_AGAIN_MS, () => {
        if (this.#socket === socket && !socket.active) socket.connect();
      });
    });
  }

  #serverIs(state: ServerLink["state"]): void {
    if (this.server.state !== state) this.server = { state, since: this.#options.clock.read() };
  }

  #later(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
  }

  #showCalls(): void {
    this.calls = [...this.#board.calls.values()];
  }

  #showLinks(): void {
    this.links = [...this.#board.links.values()];
    this.gaps = this.#board.gaps;
  }

  #showDialogue(): void {
    const callId = this.#selected;
    if (callId === null) {
      this.shown = null;
      return;
    }
    // A call from the store is not in the list that the next connect tells.
    this.#lastCall = this.#board.calls.get(callId) ?? this.#lastCall;
    this.shown = {
      callId,
      call: this.#lastCall,
      utterances: this.#dialogues.get(callId)?.inOrder() ?? [],
      phase: this.#phase,
      problem: this.#problem,
    };
  }
}
