/** What a person looks for, as the form has it, and what that is to the server. */

import type { DeliveryState, Wanted } from "../api/inbox";

export const PERIODS = ["all", "hour", "day", "week", "custom"] as const;
export type Period = (typeof PERIODS)[number];

/** Every field as it stands in the form; empty is not asked for. `since` and `until` are of `<input datetime-local>`. */
export interface Choice {
  source: string;
  event: string;
  state: DeliveryState | "";
  period: Period;
  since: string;
  until: string;
  text: string;
  body: string;
}

export const EVERYTHING: Choice = {
  source: "",
  event: "",
  state: "",
  period: "all",
  since: "",
  until: "",
  text: "",
  body: "",
};

/** Seconds. Into bodies the server looks a week at most. */
export const WEEK = 604_800;

const SPANS: Readonly<Partial<Record<Period, number>>> = { hour: 3_600, day: 86_400, week: WEEK };

export type ChoiceProblem = "reversed" | "unbounded" | "too-long";

/** Unix seconds of what such a field holds, in the browser's time zone. */
function moment(field: string): number | undefined {
  const at = Date.parse(field);
  return Number.isNaN(at) ? undefined : at / 1000;
}

/** When it was received: a period ends now where an end is needed, else it stays open for what is yet to come. */
function range({ period, since, until, body }: Choice, now: number): Pick<Wanted, "since" | "until"> {
  const span = SPANS[period];
  const end = Math.ceil(now);
  const bounds =
    period === "custom"
      ? { since: moment(since), until: moment(until) }
      : span === undefined
        ? {}
        : { since: end - span, until: body.trim() === "" ? undefined : end };
  return Object.fromEntries(Object.entries(bounds).filter(([, at]) => at !== undefined));
}

/** Null where the server can be asked. */
export function problemOf(choice: Choice, now: number): ChoiceProblem | null {
  const { since, until } = range(choice, now);
  if (since !== undefined && until !== undefined && until <= since) return "reversed";
  if (choice.body.trim() === "") return null;
  if (since === undefined || until === undefined) return "unbounded";
  return until - since > WEEK ? "too-long" : null;
}

/** `now` is in Unix seconds of the server's clock. */
export function wantedOf(choice: Choice, now: number): Wanted {
  const wanted: Wanted = range(choice, now);
  for (const name of ["source", "event", "text", "body"] as const) {
    const value = choice[name].trim();
    if (value !== "") wanted[name] = value;
  }
  if (choice.state !== "") wanted.state = choice.state;
  return wanted;
}

/** How many of its fields ask for something. */
export function asks(choice: Choice): number {
  const { since, until, period, ...others } = choice;
  return Object.values(others).filter((value) => value.trim() !== "").length + (period === "all" ? 0 : 1);
}

/**
 * The same, of what was received until `now`: what is counted is then what is done, whatever comes in between.
 */
export function untilNow(wanted: Wanted, now: number): Wanted {
  return { ...wanted, until: Math.min(wanted.until ?? Infinity, now) };
}
