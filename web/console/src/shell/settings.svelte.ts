/** What this person chose on this browser: language, appearance, how pauses are shown. */

import { firstLanguage, messages, type Language, type Messages } from "../i18n/messages";

export type Theme = "system" | "light" | "dark";

/** Seconds of silence that one speaker may leave inside a bubble; null shows every utterance by itself. */
export const PAUSES: readonly (number | null)[] = [null, 0.5, 1, 1.5, 2, 3, 5];

const PREFIX = "parley.";

/** Storage may be forbidden or full: then a choice lasts as long as the page. */
function recall(name: string): string | null {
  try {
    return globalThis.localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

function remember(name: string, value: string): void {
  try {
    globalThis.localStorage.setItem(PREFIX + name, value);
  } catch {
    // It still holds for this page.
  }
}

export class Settings {
  #language: Language = $state(
    firstLanguage(recall("language"), globalThis.navigator?.languages ?? [globalThis.navigator?.language ?? "ko"]),
  );
  #theme: Theme = $state(asTheme(recall("theme")));
  #pause: number | null = $state(asPause(recall("pause")));
  #extension: string = $state(recall("extension") ?? "");

  get language(): Language {
    return this.#language;
  }

  set language(language: Language) {
    this.#language = language;
    remember("language", language);
    this.show();
  }

  get theme(): Theme {
    return this.#theme;
  }

  set theme(theme: Theme) {
    this.#theme = theme;
    remember("theme", theme);
    this.show();
  }

  get pause(): number | null {
    return this.#pause;
  }

  set pause(pause: number | null) {
    this.#pause = pause;
    remember("pause", String(pause ?? "off"));
  }

  /** Where a call was last taken over to; empty where none was. */
  get extension(): string {
    return this.#extension;
  }

  set extension(extension: string) {
    this.#extension = extension;
    remember("extension", extension);
  }

  /** The words of the page. */
  get t(): Messages {
    return messages[this.#language];
  }

  /** Put language and theme on the document. */
  show(): void {
    const root = document.documentElement;
    root.lang = this.#language;
    if (this.#theme === "system") delete root.dataset["theme"];
    else root.dataset["theme"] = this.#theme;
  }
}

function asTheme(value: string | null): Theme {
  return value === "light" || value === "dark" ? value : "system";
}

function asPause(value: string | null): number | null {
  if (value === "off") return null;
  const seconds = Number(value ?? NaN);
  return PAUSES.includes(seconds) ? seconds : 1.5;
}

export const settings = new Settings();
