/** What stands in the forms before it is saved. */

import type { MailAccount, MailSettings, MailWish, Person, PersonWish, Tls } from "../api/people";

const PORTS: Record<Tls, number> = { starttls: 587, implicit: 465, none: 25 };

/** What to call somebody. */
export const called = ({ full_name, name }: Pick<Person, "full_name" | "name">): string => full_name || name;

/** Whether somebody is found by these words: each must be in the name, e-mail address, team or extension. */
export function isFound(person: Person, words: string): boolean {
  const text = [person.name, person.full_name, person.email, person.team, person.extension].join("\n");
  const within = text.normalize("NFC").toLowerCase();
  return words
    .normalize("NFC")
    .toLowerCase()
    .split(/\s+/)
    .every((word) => within.includes(word));
}

/** What may be changed of somebody, as it is now; of nobody: as a new person begins. */
export function wishOf(person: Person | null): PersonWish {
  const { role, full_name, email, team, extension, tenant } = person ?? {
    role: "viewer" as const,
    full_name: "",
    email: "",
    team: "",
    extension: "",
    tenant: "",
  };
  return { role, full_name, email, team, extension, tenant };
}

export const draftOf = (settings: MailSettings): MailAccount =>
  settings.account ?? { sender: "", host: "", port: PORTS.starttls, tls: "starttls", recipient: "" };

/** The port that goes with another encryption, where the one that stands there was the usual one. */
export const portWith = (tls: Tls, before: Tls, port: number): number => (port === PORTS[before] ? PORTS[tls] : port);

/** Whether the password in use was given for something else: it is kept for the same account and server alone. */
export function isElsewhere(settings: MailSettings, draft: MailAccount): boolean {
  const now = settings.account;
  if (now === null || !settings.has_password) return false;
  return (
    now.host !== draft.host.trim() ||
    now.port !== draft.port ||
    now.tls !== draft.tls ||
    now.sender.toLowerCase() !== draft.sender.trim().toLowerCase()
  );
}

/** What is sent: a password only where one was typed, or is to go. */
export function mailWish(draft: MailAccount, password: string, without: boolean): MailWish {
  if (without) return { ...draft, password: "" };
  return password === "" ? { ...draft } : { ...draft, password };
}
