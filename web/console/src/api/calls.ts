/** Live calls taken in hand over REST. Each answer comes when the switch has said yes; the call changes a moment later. */

import type { Call } from "./payloads";
import { request } from "./rest";

/** Characters of one line. */
export const LONGEST_LINE = 300;

const verb = (callId: string, name: string): string => `/api/v1/calls/${encodeURIComponent(callId)}/${name}`;

/** Send the caller to that extension; an app that leads the call is ended. */
export const transfer = (callId: string, extension: string): Promise<Call> =>
  request<Call>("POST", verb(callId, "transfer"), { extension });

/** Say one line to the caller. `said`: to its end; else it waits its turn, or is being said. */
export const say = (callId: string, text: string): Promise<{ call_id: string; said: boolean }> =>
  request("POST", verb(callId, "say"), { text });

/** Hang up all of it. A call that is over stays as it is. */
export const hangUp = (callId: string): Promise<Call> => request<Call>("POST", verb(callId, "hangup"));
