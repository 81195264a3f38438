/** A failed request about people or mail in words for the person at the page. */

import type { ApiError } from "../api/rest";
import type { Messages } from "../i18n/messages";
import { explain } from "../session/explain";

export function explainPeople(error: ApiError, t: Messages): string {
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
  switch (error.status) {
    case 502:
      return withDetail(t.people.mail.refused, error);
    case 503:
      return withDetail(t.people.mail.later, error);
  }
  return explainPeople(error, t);
}

function withDetail(text: string, { detail }: ApiError): string {
  return detail === "" ? text : `${text} (${detail})`;
}
