/** What is read out to people who do not see the page: finals of the watched call, and nothing else of the dialogue. */

import type { Utterance } from "../api/payloads";

/** As many as a reader may still be busy with. */
const KEPT = 5;

export class Announcements {
  finals: readonly Utterance[] = $state.raw([]);

  said(utterance: Utterance): void {
    this.finals = [...this.finals, utterance].slice(-KEPT);
  }

  clear(): void {
    this.finals = [];
  }
}
