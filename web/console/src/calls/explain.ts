/** What could not be done to a live call, in words for the person at the page. */

import type { ApiError } from "../api/rest";
import type { Messages } from "../i18n/messages";
import { explain } from "../session/explain";

export function explainHands(error: ApiError, t: Messages): string {
  const { problem } = t.hands;
  switch (error.status) {
    case 0:
    case 504:
      return problem.unknown;
    case 401:
      return t.signIn.ended;
    case 409:
      return error.title === "The call is over" ? problem.over : withDetail(problem.notNow, error);
    case 422:
      if (error.title === "Not allowed") return withDetail(problem.notAllowed, error);
      break;
    case 502:
      return withDetail(problem.refused, error);
    case 503:
      return problem.away;
  }
  return explain(error, t);
}

function withDetail(text: string, { detail }: ApiError): string {
  return detail === "" ? text : `${text} (${detail})`;
}
