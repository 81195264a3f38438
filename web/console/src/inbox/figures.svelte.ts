/** What stands in the inbox, as it was last told. */

import { readInbox, type Inbox } from "../api/inbox";
import { ApiError } from "../api/rest";

export class Figures {
  inbox: Inbox | null = $state.raw(null);
  /** The last look failed; the next one may not. */
  refusal: ApiError | null = $state.raw(null);

  async look(): Promise<void> {
    try {
      this.inbox = await readInbox();
      this.refusal = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.refusal = error;
    }
  }
}
