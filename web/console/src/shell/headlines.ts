/** What is wrong with a link, in one line. */

import type { Link } from "../api/payloads";
import type { Messages } from "../i18n/messages";

export const isPbx = (link: Link): boolean => link.link.startsWith("pbx:");

/** What people call the link. */
export function linkName(link: Link, t: Messages): string {
  if (!isPbx(link)) return t.links.switch(link.server);
  return t.links.pbx(link.link === "pbx:gateway" ? t.pbx.servers.gateway : link.server);
}

/** Null while the link is up. */
export function linkHeadline(link: Link, t: Messages): string | null {
  if (isPbx(link)) return pbxHeadline(link, t);
  switch (link.state) {
    case "slow":
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

function pbxHeadline(link: Link, t: Messages): string | null {
  const name = link.link === "pbx:gateway" ? t.pbx.servers.gateway : link.server;
  switch (link.state) {
    case "ready":
      return null;
    case "slow":
      return t.banners.pbxSlow(name);
    default:
      return t.banners.pbxAway(name);
  }
}
