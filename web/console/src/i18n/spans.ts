/** Lengths of time in words, such as `3분 5초`. */

import type { Messages } from "./messages";

export function spanOf(seconds: number, t: Messages): string {
  const whole = Math.max(0, Math.round(seconds));
  return t.span(Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60);
}

/** How long ago `at` was, both Unix seconds. */
export function agoOf(at: number, now: number, t: Messages): string {
  return now - at < 2 ? t.links.justNow : t.links.ago(spanOf(now - at, t));
}
