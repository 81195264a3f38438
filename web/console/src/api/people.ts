/** People, their teams, and how mail is sent, over REST; for admins. The field names are the wire's. */

import type { Role } from "./payloads";
import { ApiError, request } from "./rest";

export const ROLES = ["viewer", "operator", "admin"] as const satisfies readonly Role[];
export const TLS = ["starttls", "implicit", "none"] as const;
export type Tls = (typeof TLS)[number];

/** What may be said of a person; empty is what is not known. */
export interface PersonWish {
  role: Role;
  full_name: string;
  email: string;
  team: string;
  extension: string;
  tenant: string;
}

export interface Person extends PersonWish {
  /** What they sign in by. */
  name: string;
  /** They have a password. */
  may_sign_in: boolean;
  in_webex: boolean;
  /** The date they have registered, `YYYY-MM-DD`. */
  tgday: string | null;
}

export interface Everybody {
  people: readonly Person[];
  /** The aliases of all tenants. */
  tenants: readonly string[];
}

export interface Team {
  name: string;
  manager_email: string;
  /** How many people are in it. */
  size: number;
}

export interface MailAccount {
  sender: string;
  host: string;
  port: number;
  tls: Tls;
  /** Who gets what has no other recipient; empty for nobody. */
  recipient: string;
}

export interface MailSettings {
  /** Null where nobody has said how mail is sent. */
  account: MailAccount | null;
  has_password: boolean;
  /** By an admin, else in the configuration. */
  is_stored: boolean;
  /** Why it cannot be used, else empty. */
  problem: string;
  /** A password can be stored. */
  has_key: boolean;
}

/** Without a password the one in use stays; an empty one is none. */
export interface MailWish extends MailAccount {
  password?: string;
}

const person = (name: string): string => `/api/v1/people/${segment(name)}`;
const team = (name: string): string => `/api/v1/teams/${segment(name)}`;
const MAIL = "/api/v1/mail-settings";

export const readPeople = (): Promise<Everybody> => request<Everybody>("GET", "/api/v1/people");

export const savePerson = (name: string, wish: PersonWish): Promise<Person> =>
  request<Person>("PUT", person(name), wish);

export const setPassword = (name: string, password: string): Promise<void> =>
  request<void>("PUT", `${person(name)}/password`, { password });

export const removePerson = (name: string): Promise<void> => request<void>("DELETE", person(name));

export const readTeams = async (): Promise<readonly Team[]> =>
  (await request<{ teams: readonly Team[] }>("GET", "/api/v1/teams")).teams;

export const saveTeam = (name: string, wish: { manager_email: string }): Promise<Team> =>
  request<Team>("PUT", team(name), wish);

export const removeTeam = (name: string): Promise<void> => request<void>("DELETE", team(name));

export const readMail = (): Promise<MailSettings> => request<MailSettings>("GET", MAIL);

export const saveMail = (wish: MailWish): Promise<MailSettings> => request<MailSettings>("PUT", MAIL, wish);

export const removeMail = (): Promise<void> => request<void>("DELETE", MAIL);

/** A mail server may be waited for as long as letters wait for it: what it says, or that it says nothing, is the answer. */
const MAIL_SERVER_MS = 180_000;

/** A name at the end of an address. A browser leaves dots alone out, so they are refused here as the server would. */
function segment(name: string): string {
  if (name === "." || name === "..") throw new ApiError(422, "Unprocessable Content", "A name is neither . nor ...");
  return encodeURIComponent(name);
}

/** Send a test letter; the answer is to whom. */
export const tryMail = async (to: string): Promise<string> =>
  (await request<{ to: string }>("POST", `${MAIL}/test`, { to }, {}, MAIL_SERVER_MS)).to;
