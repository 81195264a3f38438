/** What a diversion does, and whether it is what somebody wants. */

import type { ClickToCall, Diversion } from "../api/pbx";
import type { Messages } from "../i18n/messages";
import { showNumber } from "../i18n/numbers";

export interface Wanted {
  enabled: boolean;
  destination: string;
}

/** In one sentence: a diversion works only when it is on and has a destination. */
export function inWords({ enabled, destination }: Wanted, t: Messages): string {
  const to = showNumber(destination);
  if (!enabled) return destination === "" ? t.pbx.diversions.off : t.pbx.diversions.offWithDestination(to);
  return destination === "" ? t.pbx.diversions.noDestination : t.pbx.diversions.inEffect(to);
}

/** What the caller's diversions do to a call, a sentence each. */
export function forwardsInWords(
  { caller, forwards, forwards_unread }: Pick<ClickToCall, "caller" | "forwards" | "forwards_unread">,
  t: Messages,
): string[] {
  const who = showNumber(caller);
  if (forwards_unread) return [t.pbx.click.forwardsUnread(who)];
  return forwards.map(({ kind, destination }) => t.pbx.click.forwards[kind](who, showNumber(destination)));
}

/** Hyphens and spaces are for people: a destination is stored without them. */
export const bare = (destination: string): string => destination.replaceAll(/[-\s]/g, "");

export function isChanged(stored: Wanted, wanted: Wanted): boolean {
  return stored.enabled !== wanted.enabled || stored.destination !== bare(wanted.destination);
}

/** Whether every server stores what was wanted. */
export function isStored(stored: Diversion, wanted: Wanted): boolean {
  return stored.agreed && !isChanged(stored, wanted);
}
