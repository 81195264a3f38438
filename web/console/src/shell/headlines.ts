/** What is wrong with a link, in one line. */

import type { Link } from "../api/payloads";
import type { Messages } from "../i18n/messages";

/** Null while the link is up. */
export function linkHeadline(link: Link, t: Messages): string | null {
  switch (link.state) {
    case "ready":
      return null;
    case "connecting":
      return t.banners.switchConnecting(link.server);
    case "away":
      return t.banners.switchAway(link.server);
    case "refused":
      return t.banners.switchRefused(link.server);
    case "stopped":
      return t.banners.switchStopped(link.server);
  }
}
