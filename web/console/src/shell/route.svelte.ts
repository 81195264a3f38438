/**
 * Where in the console we are, kept in the address after the `#`: `#/calls/<call id>`, `#/pbx/<extension>`,
 * `#/inbox/<delivery id>`, `#/people`.
 */

const SECTIONS = ["calls", "pbx", "inbox", "people"] as const;
export type Section = (typeof SECTIONS)[number];

/** A section, and what is open in it: a call, an extension, or a delivery. */
export interface Place {
  section: Section;
  callId: string | null;
  extension?: string;
  deliveryId?: string;
}

export function parsePlace(hash: string): Place {
  const [, named, id] = /^#\/([a-z]+)(?:\/([^/]+))?$/.exec(hash) ?? [];
  const section = SECTIONS.find((one) => one === named);
  if (section === undefined) return { section: "calls", callId: null };
  if (id === undefined) return { section, callId: null };
  try {
    return open(section, decodeURIComponent(id));
  } catch {
    return { section, callId: null };
  }
}

function open(section: Section, id: string): Place {
  switch (section) {
    case "calls":
      return { section, callId: id };
    case "pbx":
      return { section, callId: null, extension: id };
    case "inbox":
      return { section, callId: null, deliveryId: id };
    case "people":
      return { section, callId: null };
  }
}

export function hashOf({ section, callId, extension, deliveryId }: Place): string {
  const inside = { calls: callId, pbx: extension, inbox: deliveryId, people: null }[section];
  return inside === null || inside === undefined ? `#/${section}` : `#/${section}/${encodeURIComponent(inside)}`;
}

export class Route {
  place: Place = $state.raw(parsePlace(globalThis.location?.hash ?? ""));

  start(): () => void {
    const read = (): void => {
      this.place = parsePlace(location.hash);
    };
    addEventListener("hashchange", read);
    read();
    return () => removeEventListener("hashchange", read);
  }

  /** Go there; `replace` leaves no step to go back to. */
  go(place: Place, replace = false): void {
    this.place = place;
    const hash = hashOf(place);
    if (location.hash === hash) return;
    if (replace) history.replaceState(history.state, "", hash);
    else history.pushState({ entered: true }, "", hash);
  }

  /** Go out to that place: a step back where we came in from it, so that the browser's own button does not return. */
  leave(place: Place): void {
    const entered: unknown = history.state;
    if (typeof entered === "object" && entered !== null && "entered" in entered) history.back();
    else this.go(place, true);
    this.place = place;
  }
}

export const route = new Route();
