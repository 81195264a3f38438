/** The live view: one socket.io connection, the board of calls and links it fills, and the call being watched. */

import { io } from "socket.io-client";

import type { Call, CallsPayload, Utterance } from "../api/payloads";
import type { Gap } from "../transcript/timeline";
import { Board, type LinkView } from "./board";
import { coalesced, nextFrame } from "./frames";
import { Watch, type LiveSocket, type Phase } from "./watch";

const CONNECT_AGAIN_MS = 2_000;
/** The page counts in quarter minutes: what it still shows must be there; seconds. */
const FORGET_AFTER = 60;
/** A final this old is history being caught up, not news; seconds. */
const NEWS = 15;

export interface ServerLink {
  state: "connecting" | "ready" | "away";
  since: number;
}

/** The dialogue on show. */
export interface Shown {
  callId: string;
  /** Null until the server has told of it. */
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
  /** How long an ended call stays among them, seconds. */
  keepEnded: number = $state(0);
  links: readonly LinkView[] = $state.raw([]);
  gaps: readonly Gap[] = $state.raw([]);
  shown: Shown | null = $state.raw(null);
  /** When the server was last heard of, Unix seconds. Not reactive: read it with the clock's tick. */
  heardAt: number | null = null;

  readonly #options: LiveOptions;
  readonly #board = new Board();
  readonly #watch: Watch;
  readonly #drawCalls: () => void;
  readonly #drawDialogue: () => void;
  #socket: LiveSocket | null = null;
  #lastCall: Call | null = null;
  #returning: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LiveOptions) {
    this.#options = options;
    const frame = options.frame ?? nextFrame;
    this.#drawCalls = coalesced(() => this.#showCalls(), frame);
    this.#drawDialogue = coalesced(() => this.#showDialogue(), frame);
    this.#watch = new Watch(this.#drawDialogue);
  }

  start(): void {
    if (this.#socket !== null) return;
    this.server = { state: "connecting", since: this.#options.clock.read() };
    const socket: LiveSocket = io(`${this.#options.url ?? ""}/live`, {
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
      this.#all(payload);
      this.#watch.connected(socket);
    });
    socket.on("call", ({ call }) => this.#call(call));
    socket.on("utterance", (utterance) => this.#utterance(utterance));
    socket.on("link", (link) => {
      this.#board.link(link);
      this.#showLinks();
    });
    socket.on("reset", (payload) => this.#watch.reset(payload));
  }

  /** End the connection and forget everything that was told. */
  stop(): void {
    this.#socket?.disconnect();
    this.#socket?.removeAllListeners();
    this.#socket = null;
    clearTimeout(this.#returning);
    this.#watch.clear();
    this.#board.clear();
    this.#lastCall = null;
    this.told = false;
    this.heardAt = null;
    this.#showCalls();
    this.#showLinks();
    this.#showDialogue();
  }

  /** Watch this call and no other; null watches none. */
  select(callId: string | null): void {
    if (callId === this.#watch.callId) return;
    this.#lastCall = null;
    this.#watch.select(callId);
    this.#showDialogue();
  }

  /** Ask again for a dialogue that could not be had. */
  again(): void {
    this.#watch.again();
    this.#showDialogue();
  }

  /** Receive nothing that is said until {@link resume}; what is missed is caught up then. */
  pause(): void {
    this.#watch.pause();
    this.#showDialogue();
  }

  resume(): void {
    this.#watch.resume();
    this.#showDialogue();
  }

  /** When that switch was last heard of, Unix seconds. Not reactive: read it with the clock's tick. */
  switchHeardAt(server: string): number | null {
    return this.#board.heardAt(server);
  }

  #all(payload: CallsPayload): void {
    this.#options.clock.correct(payload.now);
    this.heardAt = payload.now;
    const renamed = this.#board.replace(payload);
    this.keepEnded = payload.keep_ended;
    this.told = true;
    // A long list goes on as single calls.
    this.#drawCalls();
    this.#showLinks();
    const moved = this.#watch.callId === null ? undefined : renamed.get(this.#watch.callId);
    if (moved !== undefined) this.#moveTo(moved);
  }

  #call(call: Call): void {
    const before = this.#board.calls.get(call.call_id);
    const renamed = this.#board.call(call);
    this.#drawCalls();
    if (call.call_id === this.#watch.callId) {
      this.#drawDialogue();
      // Who opens a call that had been merged before means that one.
      if (call.merged_into && before !== undefined && !before.merged_into) this.#moveTo(call.merged_into);
    } else if (renamed !== null && renamed === this.#watch.callId) {
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
    const news = this.#watch.accept(utterance) && this.#options.clock.read() - utterance.said_at < NEWS;
    if (news) this.#options.onSaid?.(utterance);
  }

  #lost(socket: LiveSocket): void {
    if (this.#socket !== socket) return;
    this.#serverIs("away");
    this.#watch.lost();
    void this.#options.mayReturn().then((may) => {
      // While it is active, socket.io tries again by itself; when the server sent us away, it does not.
      if (!may || socket.active) return;
      clearTimeout(this.#returning);
      this.#returning = setTimeout(() => {
        if (this.#socket === socket && !socket.active) socket.connect();
      }, CONNECT_AGAIN_MS);
    });
  }

  #serverIs(state: ServerLink["state"]): void {
    if (this.server.state !== state) this.server = { state, since: this.#options.clock.read() };
  }

  #showCalls(): void {
    this.#board.forget(this.#options.clock.read() - this.keepEnded - FORGET_AFTER, this.#watch.callId);
    this.calls = [...this.#board.calls.values()];
  }

  #showLinks(): void {
    this.links = [...this.#board.links.values()];
    this.gaps = this.#board.gaps;
  }

  #showDialogue(): void {
    const { callId, phase, problem } = this.#watch;
    if (callId === null) {
      this.shown = null;
      return;
    }
    // A call from the store is not in the list that the next connect tells.
    this.#lastCall = this.#board.calls.get(callId) ?? this.#lastCall;
    this.shown = { callId, call: this.#lastCall, utterances: this.#watch.utterances(), phase, problem };
  }
}
