/** Follows one click-to-call until it is over. Every step comes with its time, so none is missed between two looks. */

import { readCall, type ClickToCall } from "../api/pbx";
import { ApiError } from "../api/rest";

const INTERVAL_MS = 700;

export class Progress {
  call: ClickToCall | null = $state.raw(null);
  /** The last look failed; the next one may not. */
  lost: boolean = $state(false);
  #timer: ReturnType<typeof setTimeout> | null = null;

  follow(call: ClickToCall): void {
    this.stop();
    this.call = call;
    this.#goOn(call.click_to_call_id);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.call = null;
    this.lost = false;
  }

  #goOn(id: string): void {
    if (this.call?.ended_at !== null) return;
    this.#timer = setTimeout(() => void this.#look(id), INTERVAL_MS);
  }

  async #look(id: string): Promise<void> {
    try {
      const call = await readCall(id);
      if (this.call?.click_to_call_id !== id) return;
      this.call = call;
      this.lost = false;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (this.call?.click_to_call_id !== id) return;
      this.lost = true;
    }
    this.#goOn(id);
  }
}
