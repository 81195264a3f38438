/** A failed request about people or mail in words for the person at the page. */

import type { ApiError } from "../api/rest";
import type { Messages } from "../i18n/messages";
import { explain } from "../session/explain";

export function explainPeople(error: ApiError, t: Messages): string {
  const reason = reasonOf(error.detail, t);
  if (reason !== null) return reason;
  switch (error.status) {
    case 401:
      return t.signIn.ended;
    case 403:
      return t.people.problem.admins;
    case 404:
      return t.people.problem.gone;
    case 409:
      return withDetail(t.people.problem.conflict, error);
  }
  return explain(error, t);
}

/** For a test letter: the detail is in the mail server's own words. */
export function explainTrial(error: ApiError, t: Messages): string {
  const reason = reasonOf(error.detail, t);
  if (reason !== null) return reason;
  switch (error.status) {
    case 502:
      return withDetail(t.people.mail.refused, error);
    case 503:
      return withDetail(t.people.mail.later, error);
  }
  return explainPeople(error, t);
}

/**
 * What a detail of the server says, in the reader's words: those of its beginning, and then the rest of it, which is a
 * name or what a mail server said. Null for one that there are no words for.
 */
export function reasonOf(detail: string, t: Messages): string | null {
  const said = detail.toLowerCase();
  const found = Object.entries(t.people.reasons).find(([beginning]) => said.startsWith(beginning.toLowerCase()));
  if (found === undefined) return null;
  const [beginning, words] = found;
  const rest = beginning.endsWith(" ") ? detail.slice(beginning.length).replace(/(?:'s)?\.$/, "") : "";
  return `${words}${rest}`;
}

function withDetail(text: string, { detail }: ApiError): string {
  return detail === "" ? text : `${text} (${detail})`;
}
