/** The counts of all sources together. */

import type { Delivery, Inbox, SourceCounts } from "../api/inbox";

/** `accepted` and `refused` are of what came from outside. */
export interface Totals {
  pending: number;
  working: number;
  dead: number;
  accepted: number;
  refused: number;
  oldestPendingAt: number | null;
}

export const refusedOf = ({ refused }: SourceCounts): number =>
  Object.values(refused).reduce((sum, one) => sum + one, 0);

/** What is sent to a destination is a delivery too, of a source of its own. */
const isFromOutside = ({ source }: SourceCounts): boolean => !source.startsWith("to:");

export function totalsOf({ sources }: Inbox): Totals {
  const sum = (count: (source: SourceCounts) => number): number => sources.reduce((all, one) => all + count(one), 0);
  const oldest = sources.map((one) => one.oldest_pending_at).filter((at) => at !== null);
  return {
    pending: sum((one) => one.pending),
    working: sum((one) => one.working),
    dead: sum((one) => one.dead),
    accepted: sum((one) => (isFromOutside(one) ? one.accepted : 0)),
    refused: sum(refusedOf),
    oldestPendingAt: oldest.length === 0 ? null : Math.min(...oldest),
  };
}

export const hasEnded = ({ state }: Delivery): boolean => state === "done" || state === "dead" || state === "cancelled";

/** It was tried, and will be again. */
export const isRetried = ({ state, attempts }: Delivery): boolean => state === "pending" && attempts > 0;
