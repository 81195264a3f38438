/** The calls and links as the server last told them, and the gaps that links left. */

import type { Call, CallsPayload, Leg, Link } from "../api/payloads";
import type { Gap } from "../transcript/timeline";

/** A link and since when it has not been up, through all its tries to connect; null while it is. */
export interface LinkView extends Link {
  downSince: number | null;
}

export class Board {
  readonly calls = new Map<string, Call>();
  readonly links = new Map<string, LinkView>();
  gaps: readonly Gap[] = [];

  /** By each switch, the last moment of which something is known to have been heard. */
  readonly #heard = new Map<string, number>();
  /** The call in which each leg stands: a leg stands in one call only. */
  readonly #callOfLeg = new Map<string, string>();

  /** All there is now; what was told before is over. Tells which calls have taken another id. */
  replace(payload: CallsPayload): Map<string, string> {
    const before = [...this.calls.values()];
    this.calls.clear();
    this.#callOfLeg.clear();
    for (const call of payload.calls) this.call(call);
    const renamed = new Map<string, string>();
    for (const call of before) {
      if (this.calls.has(call.call_id)) continue;
      const now = this.#standsIn(call);
      if (now !== undefined) renamed.set(call.call_id, now);
    }
    const links = new Map(this.links);
    this.links.clear();
    for (const link of payload.links) {
      const known = links.get(link.link);
      if (known !== undefined) this.links.set(link.link, known);
      this.link(link);
    }
    return renamed;
  }

  /** A call as it stands now; the id it had before, if it has been told under another one. */
  call(call: Call): string | null {
    this.calls.set(call.call_id, call);
    this.heard(call.server, Math.max(call.created_at, call.answered_at ?? 0, call.ended_at ?? 0));
    let renamed: string | null = null;
    for (const leg of call.legs) {
      const key = legKey(call, leg);
      const before = this.#callOfLeg.get(key);
      this.#callOfLeg.set(key, call.call_id);
      if (before === undefined || before === call.call_id) continue;
      // A call that was merged says so and has given its legs away. One that still claims them has a new id.
      const stale = this.calls.get(before);
      if (
        stale !== undefined &&
        !stale.merged_into &&
        stale.legs.every((one) => this.#isIn(call, legKey(stale, one)))
      ) {
        this.calls.delete(before);
        renamed = before;
      }
    }
    return renamed;
  }

  /** Let go of calls that ended before `before`, except that one: the server has, and does not say so. */
  forget(before: number, except: string | null): void {
    for (const [callId, call] of this.calls) {
      if (call.ended_at === null || call.ended_at >= before || callId === except) continue;
      this.calls.delete(callId);
      for (const leg of call.legs) {
        const key = legKey(call, leg);
        if (this.#callOfLeg.get(key) === callId) this.#callOfLeg.delete(key);
      }
    }
  }

  link(link: Link): void {
    const up = link.state === "ready" || link.state === "slow";
    const downSince = up ? null : (this.links.get(link.link)?.downSince ?? link.since);
    this.links.set(link.link, { ...link, downSince });
    if (link.last_event_at !== null) this.heard(link.server, link.last_event_at);
    if (up && link.gap !== null && link.gap > 0) {
      const gap = { server: link.server, from: link.since - link.gap, to: link.since };
      if (!this.gaps.some((known) => known.server === gap.server && known.to === gap.to)) {
        this.gaps = [...this.gaps, gap];
      }
    }
  }

  /** Something that a switch told happened `at`: its link was alive then. */
  heard(server: string, at: number): void {
    this.#heard.set(server, Math.max(at, this.#heard.get(server) ?? at));
  }

  /** When that switch was last heard of, Unix seconds. */
  heardAt(server: string): number | null {
    return this.#heard.get(server) ?? null;
  }

  clear(): void {
    this.#heard.clear();
    this.calls.clear();
    this.links.clear();
    this.#callOfLeg.clear();
    this.gaps = [];
  }

  #standsIn(call: Call): string | undefined {
    const first = call.legs[0];
    return first === undefined ? undefined : this.#callOfLeg.get(legKey(call, first));
  }

  #isIn(call: Call, key: string): boolean {
    return call.legs.some((leg) => legKey(call, leg) === key);
  }
}

function legKey(call: Call, leg: Leg): string {
  return `${call.origin} ${call.server} ${leg.leg_id}`;
}
