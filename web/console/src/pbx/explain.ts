/** A failed request to the PBX in words for the person at the page. */

import type { ApiError } from "../api/rest";
import type { Messages } from "../i18n/messages";
import { explain } from "../session/explain";

export function explainPbx(error: ApiError, t: Messages): string {
  switch (error.status) {
    case 401:
      return t.signIn.ended;
    case 404:
      return t.pbx.problem.notFound;
    case 412:
      return t.pbx.diversions.changedElsewhere;
    case 429:
      return t.pbx.problem.tooMany;
    case 502:
      return withDetail(t.pbx.problem.refused, error);
    case 503:
      return withDetail(t.pbx.problem.away, error);
    case 504:
      return withDetail(t.pbx.problem.late, error);
  }
  return explain(error, t);
}

/** Whether what is stored may be other than what is shown: changed by somebody else, or by half of a change of ours. */
export const mayBeOther = ({ status }: ApiError): boolean => status === 412 || status >= 500;

function withDetail(text: string, { detail }: ApiError): string {
  return detail === "" ? text : `${text} (${detail})`;
}
