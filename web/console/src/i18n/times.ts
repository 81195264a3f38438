/** Times of day and lengths of time, as text. All in seconds. */

import type { Language } from "./messages";

const pad = (value: number): string => String(value).padStart(2, "0");

/** `0:07`, `12:40`, `1:02:03`. */
export function length(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

/** A length of time for `<time datetime>`. */
export function isoLength(seconds: number): string {
  return `PT${Math.max(0, Math.floor(seconds))}S`;
}

export function iso(at: number): string {
  return new Date(at * 1000).toISOString();
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(language: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options);
  let made = formats.get(key);
  if (made === undefined) formats.set(key, (made = new Intl.DateTimeFormat(language, options)));
  return made;
}

/** `14:03:07`. */
export function clock(at: number, language: Language): string {
  return format(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(
    at * 1000,
  );
}

/** The time of day, and the day where it is not the one of `now`. */
export function stamp(at: number, now: number, language: Language): string {
  const day = format(language, { year: "numeric", month: "numeric", day: "numeric" });
  if (day.format(at * 1000) === day.format(now * 1000)) return clock(at, language);
  return format(language, {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(at * 1000);
}

/** Day and time of day. */
export function moment(at: number, language: Language): string {
  return format(language, {
    month: "long",
    day: "numeric",
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).format(at * 1000);
}

/**
 * Where in the call something was said: the time since the answer, with a minus before it. A call that was not
 * answered has no such zero, so there it is the time of day.
 */
export function inCall(at: number, answeredAt: number | null, language: Language): string {
  if (answeredAt === null) return clock(at, language);
  const offset = at - answeredAt;
  // Half a second before the answer is not worth a minus.
  return offset <= -1 ? `−${length(-offset)}` : length(offset);
}
