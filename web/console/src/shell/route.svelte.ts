/** Where in the console we are, kept in the address after the `#`: `#/calls`, `#/calls/<call id>`. */

export interface Place {
  section: "calls";
  callId: string | null;
}

export function parsePlace(hash: string): Place {
  const [, section, id] = /^#\/([a-z]+)(?:\/([^/]+))?$/.exec(hash) ?? [];
  if (section !== "calls" || id === undefined) return { section: "calls", callId: null };
  try {
    return { section, callId: decodeURIComponent(id) };
  } catch {
    return { section, callId: null };
  }
}

export function hashOf(place: Place): string {
  return place.callId === null ? `#/${place.section}` : `#/${place.section}/${encodeURIComponent(place.callId)}`;
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
