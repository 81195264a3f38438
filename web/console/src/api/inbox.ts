/** The inbox of webhooks over REST. The field names are the wire's, times are Unix seconds of the server's clock. */

import { request } from "./rest";

export const STATES = ["pending", "working", "done", "dead", "cancelled"] as const;
export type DeliveryState = (typeof STATES)[number];
export type RunOutcome = "done" | "failed" | "refused" | "lost";

export interface Delivery {
  delivery_id: string;
  source: string;
  event: string;
  /** The provider's id of it. */
  other_id: string | null;
  /** What it stays in order with. */
  key: string | null;
  state: DeliveryState;
  received_at: number;
  due_at: number;
  attempts: number;
  attempts_allowed: number;
  replays: number;
  finished_at: number | null;
  /** Of the last attempt that failed. */
  error: string;
  /** Something that must not be stored was taken out of the body. */
  redacted: boolean;
  /** Bytes of the body. */
  size: number;
}

/** Newest first. A page may be short, or empty, and not the last: `before` goes on, null at the end. */
export interface DeliveryPage {
  deliveries: readonly Delivery[];
  before: string | null;
  looked_back_to: number | null;
}

/** One run of a handler, empty where it is not known which. */
export interface Run {
  attempt: number;
  handler: string;
  started_at: number;
  finished_at: number;
  outcome: RunOutcome;
  error: string;
}

export interface WholeDelivery {
  delivery: Delivery;
  address: string;
  headers: readonly { name: string; value: string }[];
  body: string;
  body_as: "text" | "base64";
  runs: readonly Run[];
}

/** `accepted`, `doubles` and `refused` (by reason) are since Parley was started, the others what stands in the store. */
export interface SourceCounts {
  source: string;
  pending: number;
  working: number;
  dead: number;
  cancelled: number;
  oldest_pending_at: number | null;
  accepted: number;
  doubles: number;
  refused: Readonly<Record<string, number>>;
}

export interface Inbox {
  sources: readonly SourceCounts[];
  waiting: number;
  running: number;
  attempts: number;
  finished: number;
  died: number;
  counted_at: number | null;
  /** Why nothing can be stored; empty where it can. */
  problem: string;
}

/** Which deliveries: every member that is there must be true of one. */
export interface Wanted {
  source?: string;
  event?: string;
  state?: DeliveryState;
  since?: number;
  until?: number;
  text?: string;
  body?: string;
}

/** `found` have ended and match, with `at_least` perhaps more; `replayed` of them are pending again. */
export interface Replays {
  found: number;
  replayed: number;
  at_least: boolean;
}

const ROOT = "/api/v1/inbox";

const one = (id: string): string => `${ROOT}/deliveries/${encodeURIComponent(id)}`;

/** The address of a page, its members in the order of the alphabet. */
export function pagePath(wanted: Wanted, before: string | null, limit: number): string {
  const query = new URLSearchParams({ limit: String(limit) });
  for (const [name, value] of Object.entries(wanted)) query.set(name, String(value));
  if (before !== null) query.set("before", before);
  query.sort();
  return `${ROOT}/deliveries?${query}`;
}

export const readInbox = (): Promise<Inbox> => request<Inbox>("GET", ROOT);

export const readPage = (wanted: Wanted, before: string | null, limit: number): Promise<DeliveryPage> =>
  request<DeliveryPage>("GET", pagePath(wanted, before, limit));

export const readDelivery = (id: string): Promise<WholeDelivery> => request<WholeDelivery>("GET", one(id));

/** The answer is the delivery as it stands then, as it is of {@link cancel}. */
export const replay = (id: string): Promise<WholeDelivery> => request<WholeDelivery>("POST", `${one(id)}/replay`);

export const cancel = (id: string): Promise<WholeDelivery> => request<WholeDelivery>("POST", `${one(id)}/cancel`);

/** How many a bulk replay would find; nothing is done. */
export const countReplays = (wanted: Wanted): Promise<Replays> =>
  request<Replays>("POST", `${ROOT}/replays`, { ...wanted, dry_run: true });

export const replayMany = (wanted: Wanted, perSecond: number): Promise<Replays> =>
  request<Replays>("POST", `${ROOT}/replays`, { ...wanted, dry_run: false, per_second: perSecond });
