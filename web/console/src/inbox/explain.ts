/** A failed request to the inbox in words for the person at the page. */

import type { ApiError } from "../api/rest";
import type { Messages } from "../i18n/messages";
import { explain } from "../session/explain";

/** `asked`: what was asked for; the same status means another thing to each. */
export function explainInbox(error: ApiError, t: Messages, asked: "look" | "replay" | "cancel" = "look"): string {
  switch (error.status) {
    case 401:
      return t.signIn.ended;
    case 403:
      return t.inbox.problem.admins;
    case 404:
      return t.inbox.problem.gone;
    case 409:
      return asked === "cancel" ? t.inbox.problem.ended : t.inbox.problem.notEnded;
    case 429:
      return t.inbox.problem.tooMany;
    case 503:
      return t.inbox.problem.away;
  }
  return explain(error, t);
}
