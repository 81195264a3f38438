/** The live view against a real socket.io server, cut off and brought back. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server, type Socket } from "socket.io";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Answer, ClientEvents, ServerEvents, Utterance, WatchPayload } from "../src/api/payloads";
import { Live } from "../src/live/live.svelte";
import { call, final, leg, link, utterance } from "./examples";

type Peer = Socket<ClientEvents, ServerEvents>;

/** Answers as the server does: a reset or what is missing, the interims that stand, then the acknowledgement. */
class FakeServer {
  epoch = "epoch-1";
  calls = [call("call-1"), call("call-2")];
  finals: Utterance[] = [];
  interims: Utterance[] = [];
  readonly watches: WatchPayload[] = [];
  readonly unwatches: string[] = [];
  answer: ((watch: WatchPayload) => Answer | null) | null = null;
  io!: Server<ClientEvents, ServerEvents>;
  port = 0;

  async start(): Promise<void> {
    const http = createServer();
    this.io = new Server(http, { transports: ["websocket"] });
    this.io.of("/live").on("connection", (peer: Peer) => {
      peer.emit("calls", { epoch: this.epoch, now: 5000, keep_ended: 300, calls: this.calls, links: [link()] });
      peer.on("watch", (watch, ack) => {
        this.watches.push(watch);
        const other = this.answer?.(watch);
        if (other) return ack(other);
        const held = watch.after[watch.call_id] ?? 0;
        const of = this.finals.filter((one) => one.call_id === watch.call_id);
        if (watch.epoch !== this.epoch)
          peer.emit("reset", { epoch: this.epoch, call_id: watch.call_id, utterances: of });
        else for (const one of of) if (one.seq > held) peer.emit("utterance", one);
        for (const one of this.interims) peer.emit("utterance", one);
        ack({ ok: true, epoch: this.epoch });
      });
      peer.on("unwatch", ({ call_id }, ack) => {
        this.unwatches.push(call_id);
        ack({ ok: true });
      });
    });
    await new Promise<void>((done) => http.listen(this.port, "127.0.0.1", done));
    this.port = (http.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    await this.io.close();
  }

  say(one: Utterance): void {
    this.finals.push(one);
    this.io.of("/live").emit("utterance", one);
  }
}

let server: FakeServer;
let live: Live;
let moved: string[];
let said: string[];
let may: Promise<boolean>;

const texts = (): string[] => live.shown?.utterances.map((one) => one.text) ?? [];
const until = (condition: () => boolean): Promise<void> =>
  vi.waitFor(() => expect(condition()).toBe(true), { timeout: 10_000, interval: 5 });

beforeEach(async () => {
  server = new FakeServer();
  await server.start();
  moved = [];
  said = [];
  may = Promise.resolve(true);
  live = new Live({
    url: `http://127.0.0.1:${server.port}`,
    clock: { read: () => 1000, correct: () => {} },
    mayReturn: () => may,
    onMoved: (callId) => moved.push(callId),
    onSaid: (one) => said.push(one.text),
    frame: (draw) => setTimeout(draw, 0),
  });
});

afterEach(async () => {
  live.stop();
  await server.stop();
});

describe("a watch", () => {
  it("asks for the whole at first, and shows what stands and what comes", async () => {
    server.finals = [final(1), final(2)];
    server.interims = [utterance("u3", { said_at: 1010 })];
    live.start();
    live.select("call-1");
    await until(() => live.shown?.phase === "live");
    expect(server.watches).toEqual([{ call_id: "call-1", after: { "call-1": 0 }, epoch: "" }]);
    server.say(final(3, { said_at: 1010, text: "heard" }));
    await until(() => texts().length === 3 && texts()[2] === "heard");
    expect(texts()).toEqual(["u1", "u2", "heard"]);
    expect(said).toEqual(["heard"]);
  });

  it("asks after a break for what came since, and nothing is doubled or missed", async () => {
    server.finals = [final(1), final(2)];
    server.interims = [utterance("gone")];
    live.start();
    live.select("call-1");
    await until(() => live.shown?.phase === "live" && texts().length === 3);
    await server.stop();
    await until(() => live.server.state === "away");
    expect(texts()).toEqual(["gone", "u1", "u2"]);
    server.finals.push(final(3), final(4));
    server.interims = [];
    await server.start();
    await until(() => live.server.state === "ready" && live.shown?.phase === "live" && texts().length === 4);
    expect(server.watches.at(-1)).toEqual({ call_id: "call-1", after: { "call-1": 2 }, epoch: "epoch-1" });
    expect(texts()).toEqual(["u1", "u2", "u3", "u4"]);
    expect(said).toEqual([]);
  });

  it("starts afresh when the server numbers anew", async () => {
    server.finals = [final(1), final(2), final(3)];
    live.start();
    live.select("call-1");
    await until(() => texts().length === 3);
    await server.stop();
    server.epoch = "epoch-2";
    server.finals = [final(1), final(2, { utterance_id: "new", text: "new" })];
    await server.start();
    await until(() => texts().includes("new"));
    expect(server.watches.at(-1)?.epoch).toBe("epoch-1");
    expect(texts()).toEqual(["u1", "new"]);
    server.say(final(3, { utterance_id: "third", text: "third" }));
    await until(() => texts().includes("third"));
    await server.stop();
    await server.start();
    await until(() => server.watches.length === 3);
    expect(server.watches.at(-1)).toEqual({ call_id: "call-1", after: { "call-1": 3 }, epoch: "epoch-2" });
  });

  it("is given up for another call, and taken up again where it was", async () => {
    server.finals = [final(1), final(1, { call_id: "call-2", utterance_id: "other", text: "other" })];
    live.start();
    live.select("call-1");
    await until(() => texts().length === 1);
    live.select("call-2");
    await until(() => texts()[0] === "other");
    expect(server.unwatches).toEqual(["call-1"]);
    server.finals.push(final(2));
    live.select("call-1");
    await until(() => texts().length === 2);
    expect(server.watches.at(-1)).toEqual({ call_id: "call-1", after: { "call-1": 1 }, epoch: "epoch-1" });
  });

  it("ignores interims of a call that was left", async () => {
    live.start();
    live.select("call-1");
    await until(() => live.shown?.phase === "live");
    live.select("call-2");
    await until(() => server.unwatches.length === 1);
    server.io.of("/live").emit("utterance", utterance("late"));
    server.io.of("/live").emit("utterance", final(1, { call_id: "call-2", text: "after" }));
    await until(() => texts()[0] === "after");
    live.select("call-1");
    await until(() => live.shown?.phase === "live");
    expect(texts()).toEqual([]);
  });

  it("that is refused says why, and can be tried again", async () => {
    server.answer = () => ({ error: { title: "No such call", detail: "It is gone." } });
    live.start();
    live.select("call-9");
    await until(() => live.shown?.phase === "failed");
    expect(live.shown?.problem).toEqual({ title: "No such call", detail: "It is gone." });
    server.answer = null;
    live.again();
    await until(() => live.shown?.phase === "live");
    expect(live.shown?.problem).toBeNull();
  });

  it("is repeated when a final is missing", async () => {
    server.finals = [final(1)];
    live.start();
    live.select("call-1");
    await until(() => texts().length === 1);
    server.finals.push(final(2));
    server.say(final(3));
    await until(() => texts().length === 3);
    expect(server.watches.at(-1)).toEqual({ call_id: "call-1", after: { "call-1": 1 }, epoch: "epoch-1" });
    expect(texts()).toEqual(["u1", "u2", "u3"]);
  });

  it("rests while the page saves data, and then catches up", async () => {
    live.start();
    live.select("call-1");
    await until(() => live.shown?.phase === "live");
    live.pause();
    await until(() => server.unwatches.length === 1);
    expect(live.shown?.phase).toBe("paused");
    server.finals.push(final(1));
    live.resume();
    await until(() => texts().length === 1);
    expect(live.shown?.phase).toBe("live");
  });
});

describe("calls", () => {
  it("are listed on connect and kept up to date", async () => {
    live.start();
    await until(() => live.told && live.calls.length === 2);
    server.io.of("/live").emit("call", { call: call("call-3") });
    server.io.of("/live").emit("call", { call: call("call-1", { state: "held" }) });
    await until(() => live.calls.length === 3);
    expect(live.calls.map((one) => one.state)).toEqual(["held", "active", "active"]);
    expect(live.links.map((one) => one.state)).toEqual(["ready"]);
  });

  it("that merge take along who watches them", async () => {
    live.start();
    live.select("call-2");
    await until(() => live.shown?.phase === "live");
    server.io.of("/live").emit("call", { call: call("call-2", { legs: [], state: "ended", merged_into: "call-1" }) });
    await until(() => live.shown?.callId === "call-1" && live.shown.phase === "live");
    expect(moved).toEqual(["call-1"]);
    expect(server.unwatches).toEqual(["call-2"]);
    expect(server.watches.at(-1)?.call_id).toBe("call-1");
  });

  it("that had merged before can still be opened", async () => {
    server.calls = [call("call-1"), call("call-2", { legs: [], merged_into: "call-1" })];
    live.start();
    live.select("call-2");
    await until(() => live.shown?.phase === "live");
    server.io.of("/live").emit("call", { call: call("call-2", { legs: [], merged_into: "call-1", code: "again" }) });
    await until(() => live.shown?.call?.code === "again");
    expect(moved).toEqual([]);
  });

  it("that are stored under another id are followed to it", async () => {
    server.calls = [call("fresh", { legs: [leg("x")] })];
    live.start();
    live.select("fresh");
    await until(() => live.shown?.phase === "live");
    server.io.of("/live").emit("call", { call: call("stored", { legs: [leg("x")] }) });
    await until(() => live.shown?.callId === "stored");
    expect(moved).toEqual(["stored"]);
  });

  it("from the store stay on show when the list is told anew", async () => {
    server.answer = (watch) => {
      server.io.of("/live").emit("call", { call: call(watch.call_id, { state: "ended", ended_at: 10 }) });
      return null;
    };
    live.start();
    live.select("past");
    await until(() => live.shown?.call?.call_id === "past");
    server.answer = null;
    await server.stop();
    await server.start();
    await until(() => server.watches.length === 2 && live.shown?.phase === "live");
    expect(live.shown?.call?.call_id).toBe("past");
  });
});

describe("the connection", () => {
  it("comes back when the server cut it off and the session still holds", async () => {
    live.start();
    await until(() => live.server.state === "ready");
    server.io.of("/live").disconnectSockets();
    await until(() => live.server.state === "away");
    await until(() => live.server.state === "ready");
  });

  it.each([
    ["tries again", true, 1],
    ["does not even try", false, 0],
  ])("%s when the session still holds: %s", async (_, holds, timers) => {
    let decide: (may: boolean) => void = () => {};
    may = new Promise((resolve) => (decide = resolve));
    live.start();
    await until(() => live.server.state === "ready");
    server.io.of("/live").disconnectSockets();
    await until(() => live.server.state === "away");
    // What it does next is a timer of its own.
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    try {
      decide(holds);
      await may;
      await Promise.resolve();
      expect(vi.getTimerCount()).toBe(timers);
    } finally {
      vi.useRealTimers();
    }
  });

  it("leaves nothing behind when it is ended", async () => {
    live.start();
    live.select("call-1");
    await until(() => live.shown?.phase === "live");
    live.stop();
    expect([live.calls.length, live.links.length, live.shown, live.told]).toEqual([0, 0, null, false]);
    live.start();
    await until(() => live.told);
  });
});
