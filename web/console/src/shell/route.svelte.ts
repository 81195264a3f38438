/** Where in the console we are, kept in the address after the `#`: `#/calls/<call id>`, `#/pbx/<extension>`. */

export type Section = "calls" | "pbx";

/** A section, and what is open in it: a call, or an extension. */
export interface Place {
  section: Section;
  callId: string | null;
  extension?: string;
}

export function parsePlace(hash: string): Place {
  const [, section, id] = /^#\/([a-z]+)(?:\/([^/]+))?$/.exec(hash) ?? [];
  const known = section === "pbx" ? "pbx" : "calls";
  if (section !== known || id === undefined) return { section: known, callId: null };
  try {
    const inside = decodeURIComponent(id);
    return known === "pbx" ? { section: known, callId: null, extension: inside } : { section: known, callId: inside };
  } catch {
    return { section: known, callId: null };
  }
}

export function hashOf(place: Place): string {
  const inside = place.section === "pbx" ? place.extension : place.callId;
  return inside === null || inside === undefined
    ? `#/${place.section}`
    : `#/${place.section}/${encodeURIComponent(inside)}`;
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
