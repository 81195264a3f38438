/** The server's time, ticking once a second. */

export class Clock {
  /** Server time of the last tick, Unix seconds: read it where something counts up on the page. */
  now: number = $state(Date.now() / 1000);
  #skew = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** Server time at this moment. */
  read(): number {
    return Date.now() / 1000 + this.#skew;
  }

  /** The server has just said that it is `now`. */
  correct(now: number): void {
    this.#skew = now - Date.now() / 1000;
    this.now = this.read();
  }

  start(): void {
    if (this.#timer !== null) return;
    const tick = (): void => {
      this.now = this.read();
      // On the whole second, so that everything on the page ticks together and none is skipped.
      this.#timer = setTimeout(tick, 1000 - ((this.now * 1000) % 1000) + 5);
    };
    tick();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

export const clock = new Clock();
