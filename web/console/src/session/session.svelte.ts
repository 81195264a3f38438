/** Who is signed in. */

import type { Session as Account } from "../api/payloads";
import { ApiError, request } from "../api/rest";

const PATH = "/api/v1/session";
const RETRY_MS = 3_000;
/** A probe tells enough for so long. */
const FRESH_MS = 3_000;

/** `unready`: the server is there, and has not what it needs to say who is signed in. */
export type SessionState = "unknown" | "unreachable" | "unready" | "signed-out" | "signed-in";

export class Session {
  state: SessionState = $state("unknown");
  account: Account | null = $state.raw(null);
  /** The server ended a session that was in use. */
  ended: boolean = $state(false);
  #probing: Promise<boolean> | null = null;
  #probedAt = -Infinity;

  /** Find out at the start of the page; goes on until the server answers. */
  async begin(): Promise<void> {
    try {
      this.#signedIn(await request<Account>("GET", PATH));
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        this.state = "signed-out";
        return;
      }
      this.state = error instanceof ApiError && error.status > 0 ? "unready" : "unreachable";
      setTimeout(() => void this.begin(), RETRY_MS);
    }
  }

  /** Whether the session still holds. A server that does not answer has not ended it. */
  stillHolds(): Promise<boolean> {
    if (this.state !== "signed-in") return Promise.resolve(false);
    if (Date.now() - this.#probedAt < FRESH_MS) return Promise.resolve(true);
    this.#probing ??= this.#probe().finally(() => {
      this.#probing = null;
    });
    return this.#probing;
  }

  /** @throws ApiError */
  async signIn(username: string, password: string): Promise<void> {
    this.#signedIn(await request<Account>("POST", PATH, { username, password }));
  }

  /** @throws ApiError when the server could not be told; the session then still stands. */
  async signOut(): Promise<void> {
    try {
      await request<void>("DELETE", PATH);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
    }
    this.#signedOut(false);
  }

  async #probe(): Promise<boolean> {
    try {
      const account = await request<Account>("GET", PATH);
      this.#probedAt = Date.now();
      this.account = account;
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        this.#signedOut(true);
        return false;
      }
      return true;
    }
  }

  #signedIn(account: Account): void {
    this.account = account;
    this.ended = false;
    this.state = "signed-in";
  }

  #signedOut(ended: boolean): void {
    this.account = null;
    this.ended = ended;
    this.state = "signed-out";
  }
}

export const session = new Session();
