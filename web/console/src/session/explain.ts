/** A failed request in words for the person at the page. */

import type { ApiError } from "../api/rest";
import type { Messages } from "../i18n/messages";

export function explain(error: ApiError, t: Messages): string {
  switch (error.status) {
    case 0:
      return t.problem.unreachable;
    case 401:
      return t.problem.wrong;
    case 403:
      return t.problem.forbidden;
    case 404:
      return t.problem.notFound;
    case 429:
      return t.problem.tooMany;
    case 400:
    case 422:
      return error.detail === "" ? t.problem.invalid : `${t.problem.invalid} (${error.detail})`;
  }
  if (error.status >= 500) return t.problem.server;
  return error.detail === "" ? error.title : `${error.title}: ${error.detail}`;
}
