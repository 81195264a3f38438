/** The one live view of this page, wired to the clock, the address and the session. */

import { Live } from "../live/live.svelte";
import { session } from "../session/session.svelte";
import { Announcements } from "./announcements.svelte";
import { clock } from "./clock.svelte";
import { route } from "./route.svelte";

export const announcements = new Announcements();

export const live = new Live({
  clock,
  mayReturn: () => session.stillHolds(),
  onMoved: (callId) => route.go({ section: "calls", callId }, true),
  onSaid: (utterance) => announcements.said(utterance),
});
