/**
 * What the server sends and takes, over socket.io (namespace `/live`) and REST. The field names are the wire's.
 *
 * Times are Unix seconds of the server's clock. Numbers reach us as this account may see them: whole, or masked
 * like `010****5678`.
 */

export type Role = "viewer" | "operator" | "admin";
export type CallState = "ringing" | "parked" | "active" | "bridged" | "held" | "ended";
export type LegState = "ringing" | "early" | "answered" | "ended";
export type Direction = "inbound" | "outbound";
export type Disposition = "answered" | "no_answer" | "busy" | "abandoned" | "failed" | "lost";
/** What an app does that leads a call at this moment. */
export type LiveAppState = "starting" | "speaking" | "listening" | "working" | "holding" | "fallen_back";
export type AppState = LiveAppState | "handed_over" | "ended";
/** Why an app leads a call no more. */
export type AppEnding =
  | "returned"
  | "hung_up"
  | "handed_on"
  | "taken_over"
  | "cut_off"
  | "given_up"
  | "failed"
  | "late"
  | "stopped"
  | "lost"
  | "refused";
export type Speaker = "caller" | "callee" | "app";
/** `slow`: up, but its answers take longer than they should. */
export type LinkState = "connecting" | "ready" | "slow" | "away" | "refused" | "stopped";

/** `GET` and `POST /api/v1/session`. */
export interface Session {
  username: string;
  role: Role;
  full_numbers: boolean;
  /** Where calls reach them; empty where nobody has said so. */
  extension: string;
}

/** RFC 9457, the body of every error. */
export interface Problem {
  type?: string;
  title: string;
  status: number;
  detail?: string;
}

export interface Leg {
  leg_id: string;
  direction: Direction;
  caller: string;
  caller_name: string;
  callee: string;
  code: string;
  state: LegState;
  created_at: number;
  answered_at: number | null;
  ended_at: number | null;
  hangup_cause: string;
  parked: boolean;
  held: boolean;
  peer_id: string;
}

export interface Call {
  call_id: string;
  origin: string;
  server: string;
  state: CallState;
  caller: string;
  caller_name: string;
  callee: string;
  did: string;
  code: string;
  app: string;
  created_at: number;
  answered_at: number | null;
  ended_at: number | null;
  hangup_cause: string;
  disposition: Disposition | null;
  /** The older call this one became part of; empty while it stands by itself. */
  merged_into: string | null;
  /** What is said on it is not for everybody. */
  sensitive: boolean;
  legs: Leg[];
  /** Null where no app leads it or has led it. */
  app_state: AppState | null;
  /** How the app went, in its own word, else as it ended. */
  outcome: string;
  /** Empty while it leads the call. A later server may know others. */
  app_ending: AppEnding | "" | (string & {});
}

/**
 * One speaker's stretch. An interim has `seq` 0 and the `utterance_id` of the final that will take its place; one
 * without text takes the stretch back.
 */
export interface Utterance {
  call_id: string;
  utterance_id: string;
  seq: number;
  leg_id: string;
  speaker: Speaker;
  text: string;
  /** Seconds of the leg's recogniser audio; null where the vendor gives none. */
  start: number | null;
  end: number | null;
  /** When the stretch began. A dialogue stands in order of (`said_at`, `seq`). */
  said_at: number;
  final: boolean;
  confidence: number | null;
  /** The recogniser, or `speak` and `playback` for what a program said. */
  vendor: string;
}

export interface Link {
  /** `switch:<name>`, `pbx:gateway` or `pbx:<server>` */
  link: string;
  server: string;
  state: LinkState;
  since: number;
  last_event_at: number | null;
  detail: string;
  /** On the first `ready` after an outage: the seconds of which nothing is known. */
  gap: number | null;
  /** How long the last answer took, seconds; null where the link is not asked. */
  round_trip: number | null;
}

/** On every connect: all there is now. A long list goes on as `call` events. */
export interface CallsPayload {
  epoch: string;
  now: number;
  /** How long an ended call is part of the list, seconds. */
  keep_ended: number;
  calls: Call[];
  links: Link[];
}

/** Replaces all that the client holds of this call (`*`: of every call). A long past goes on as `utterance` events. */
export interface ResetPayload {
  epoch: string;
  call_id: string;
  utterances: Utterance[];
}

export interface WatchPayload {
  call_id: string;
  after: Record<string, number>;
  epoch: string;
}

export interface UnwatchPayload {
  call_id: string;
}

export type Answer = { ok: true; epoch?: string } | { error: { title: string; detail?: string } };

export interface ServerEvents {
  calls: (payload: CallsPayload) => void;
  call: (payload: { call: Call }) => void;
  utterance: (utterance: Utterance) => void;
  link: (link: Link) => void;
  reset: (payload: ResetPayload) => void;
}

export interface ClientEvents {
  watch: (payload: WatchPayload, answer: (answer: Answer) => void) => void;
  unwatch: (payload: UnwatchPayload, answer: (answer: Answer) => void) => void;
}
