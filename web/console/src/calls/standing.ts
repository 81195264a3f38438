/** How a call stands, with the app that leads it: what people are told in place of the bare state of its channels. */

import type { AppEnding, Call, CallState, LiveAppState } from "../api/payloads";
import type { Messages } from "../i18n/messages";

export type Standing = CallState | LiveAppState;

const SHOWN: ReadonlySet<string> = new Set<LiveAppState>([
  "starting",
  "speaking",
  "listening",
  "working",
  "holding",
  "fallen_back",
]);

/** After these the caller was left behind, and got the fall-back. */
const UNATTENDED: ReadonlySet<string> = new Set<AppEnding>([
  "given_up",
  "failed",
  "late",
  "stopped",
  "lost",
  "refused",
]);

const isShown = (state: string): state is LiveAppState => SHOWN.has(state);

/** Whether it can be taken in hand: it lives, is a call of its own, and stands on a switch that takes commands. */
export const isInReach = (call: Call): boolean =>
  call.state !== "ended" && !call.merged_into && call.origin === "freeswitch";

/** Whether nobody has answered yet whom the call was placed to: then it can be hung up, and nothing else. */
export function stillRings({ legs }: Call): boolean {
  const leg = legs.find(({ state }) => state !== "ended");
  return leg?.direction === "outbound" && leg.answered_at === null;
}

/** A caller who is with an app is no longer waiting, whatever the switch calls their channel. */
export function standingOf(call: Call): Standing {
  const withApp = call.state !== "ended" && call.state !== "bridged" && call.app_state !== null;
  return withApp && isShown(call.app_state!) ? call.app_state : call.state;
}

export function inWords(standing: Standing, t: Messages): string {
  return isShown(standing) ? t.hands.states[standing] : t.states[standing];
}

/** Why the app leads the call no more, in words; empty while it does, or where none ever did. */
export function endingOf(call: Call, t: Messages): string {
  const words: Readonly<Record<string, string>> = t.hands.endings;
  return words[call.app_ending] ?? call.app_ending;
}

/** Whether the app came to no end of its own. */
export const wentWrong = (call: Call): boolean => UNATTENDED.has(call.app_ending);

/** The app's own word for how it went; empty where it said nothing that its ending does not. */
export const outcomeOf = (call: Call): string => (call.outcome === call.app_ending ? "" : call.outcome);
