/** The PBX over REST: its servers, call forwarding, click-to-call. The field names are the wire's. */

import type { Link, LinkState } from "./payloads";
import { request } from "./rest";

export const KINDS = ["IMMEDIATE", "BUSY", "NO_ANSWER", "UNAVAILABLE"] as const;
export type DiversionKind = (typeof KINDS)[number];

/** One Asterisk behind the gateway. `round_trip` is of its last ping, seconds. */
export interface PbxServer {
  name: string;
  server_id: number;
  state: LinkState;
  since: number;
  round_trip: number | null;
  detail: string;
  tenants: readonly string[];
}

export interface Pbx {
  gateway: Link;
  servers: readonly PbxServer[];
  /** The aliases of all tenants. */
  tenants: readonly string[];
}

/** A diversion as one server stores it; `error` says why that server could not be read. */
export interface ServerDiversion {
  server: string;
  enabled: boolean;
  destination: string;
  error: string;
}

export interface Diversion {
  kind: DiversionKind;
  enabled: boolean;
  /** Empty where none is set. */
  destination: string;
  in_effect: boolean;
  /** Every server could be read and says the same. */
  agreed: boolean;
  /** The server's own words for it. */
  summary: string;
  /** What a change has to name, so that nobody overwrites what they have not seen. */
  version: string;
  servers: readonly ServerDiversion[];
}

export interface ExtensionDiversions {
  tenant: string;
  extension: string;
  version: string;
  diversions: readonly Diversion[];
}

export type CallStep =
  | "requested"
  | "queued"
  | "caller_ringing"
  | "forwarded"
  | "caller_answered"
  | "callee_ringing"
  | "callee_answered"
  | "ended"
  | "caller_unreached"
  | "callee_unreached"
  | "failed"
  | "outcome_unknown";

export interface StepTaken {
  step: CallStep;
  at: number;
  detail: string;
}

export interface ClickToCall {
  click_to_call_id: string;
  tenant: string;
  caller: string;
  callee: string;
  actor: string;
  way: string;
  /** What the caller's diversions will do, in the server's words. */
  notice: string;
  /** The same: the diversions that were in effect when it was placed. */
  forwards: readonly { kind: DiversionKind; destination: string }[];
  /** Whether there were any could not be read. */
  forwards_unread: boolean;
  created_at: number;
  ended_at: number | null;
  /** The call in the live view, once it is known which; else empty. */
  call_id: string;
  state: CallStep;
  steps: readonly StepTaken[];
}

const diversions = (extension: string, kind: DiversionKind | null, tenant: string): string => {
  const path = `/api/v1/diversions/${encodeURIComponent(extension)}${kind === null ? "" : `/${kind}`}`;
  return tenant === "" ? path : `${path}?tenant=${encodeURIComponent(tenant)}`;
};

export const readServers = (): Promise<Pbx> => request<Pbx>("GET", "/api/v1/pbx/servers");

/** `tenant` empty: the one that the extension belongs to. */
export const readDiversions = (extension: string, tenant: string): Promise<ExtensionDiversions> =>
  request<ExtensionDiversions>("GET", diversions(extension, null, tenant));

/** Set it on every server; the answer is what was read back. */
export const setDiversion = (
  extension: string,
  tenant: string,
  { kind, version }: Diversion,
  wanted: { enabled: boolean; destination: string },
): Promise<Diversion> =>
  request<Diversion>("PUT", diversions(extension, kind, tenant), wanted, { "If-Match": `"${version}"` });

/** `key` keeps a request that is sent twice from placing two calls. */
export const placeCall = (
  wanted: { caller: string; callee: string; tenant?: string },
  key: string,
): Promise<ClickToCall> => request<ClickToCall>("POST", "/api/v1/click-to-call", wanted, { "Idempotency-Key": key });

export const readCall = (id: string): Promise<ClickToCall> =>
  request<ClickToCall>("GET", `/api/v1/click-to-call/${encodeURIComponent(id)}`);
