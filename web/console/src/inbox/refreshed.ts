/** A list that somebody reads, and the newest page of it as it stands now. */

import type { Delivery, DeliveryPage } from "../api/inbox";

export interface Refreshed {
  /** What was listed, as it is now: without what is no longer asked for. */
  rows: readonly Delivery[];
  /** What came since, newest first. */
  fresh: readonly Delivery[];
  /** As much came as a page holds: between `fresh` and `rows` some may be missing. */
  gap: boolean;
}

/**
 * Ids are in the order of time. A page speaks for every id from its `before` up; what is older stays as it is.
 *
 * One that was stored late may come to stand between others: it is listed where it belongs.
 */
export function refreshed(rows: readonly Delivery[], { deliveries, before }: DeliveryPage, limit: number): Refreshed {
  const newest = rows[0]?.delivery_id ?? "";
  const from = before ?? "";
  const older = rows.filter((row) => row.delivery_id < from);
  const fresh = deliveries.filter((row) => row.delivery_id > newest);
  return {
    rows: [...deliveries.filter((row) => row.delivery_id <= newest), ...older],
    fresh,
    gap: fresh.length >= limit,
  };
}
