/** What a bulk replay will take of what was counted. */

import type { Replays } from "../api/inbox";

/** The server's most at once. */
export const MOST = 10_000;

/** `taken` will be replayed, with `orMore` perhaps others too: counting ended before it was through. */
export interface Plan {
  found: number;
  taken: number;
  orMore: boolean;
}

/** `null` where there is nothing to replay. */
export function planOf({ found, at_least: atLeast }: Replays): Plan | null {
  const taken = Math.min(found, MOST);
  return found > 0 || atLeast ? { found, taken, orMore: atLeast && taken < MOST } : null;
}
