/** The list of deliveries: the newest that are wanted, older ones on request, kept as they stand now. */

import { readPage, type Delivery, type DeliveryPage, type Wanted } from "../api/inbox";
import { ApiError } from "../api/rest";
import { refreshed } from "./refreshed";

export const PAGE = 50;
/** Of a long list no more than this is looked at again; the server's most. */
const REFRESHED = 200;

export class Deliveries {
  rows: readonly Delivery[] = $state.raw([]);
  /** What came since and is not listed yet, so that nothing moves under who reads. */
  fresh: readonly Delivery[] = $state.raw([]);
  /** There may be more of these than are known. */
  gap: boolean = $state(false);
  /** Where to go on; null at the end. */
  before: string | null = $state(null);
  /** Unix seconds: how far the server has looked where the last page was short and not the last; else null. */
  lookedBackTo: number | null = $state(null);
  busy: boolean = $state(false);
  /** Some page has come. */
  told: boolean = $state(false);
  refusal: ApiError | null = $state.raw(null);
  wanted: Wanted = $state.raw({});
  /** Counts the searches: what answers an earlier one is of no use. */
  #search = 0;

  /** List what is wanted, from the newest. */
  async search(wanted: Wanted): Promise<void> {
    this.wanted = wanted;
    const mine = ++this.#search;
    const page = await this.#ask(mine, null, PAGE);
    if (page === null) return;
    this.rows = page.deliveries;
    this.fresh = [];
    this.gap = false;
    this.#goOn(page);
  }

  /** Older ones. */
  async more(): Promise<void> {
    if (this.busy || this.before === null) return;
    const page = await this.#ask(this.#search, this.before, PAGE);
    if (page === null) return;
    this.rows = [...this.rows, ...page.deliveries];
    this.#goOn(page);
  }

  /** See what is new. `hold`: list only what was listed before, and keep the new for {@link showFresh}. */
  async refresh(hold: boolean): Promise<void> {
    // To look into bodies once is work enough for the server.
    if (this.busy || !this.told || this.wanted.body !== undefined) return;
    const mine = this.#search;
    const limit = Math.min(REFRESHED, Math.max(PAGE, this.rows.length));
    let page: DeliveryPage;
    try {
      page = await readPage(this.wanted, null, limit);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (mine === this.#search) this.refusal = error;
      return;
    }
    // Whoever asked for more meanwhile has a longer list than this page knows.
    if (mine !== this.#search || this.busy) return;
    this.refusal = null;
    this.#take(page, limit, hold);
  }

  /** List what came since. */
  showFresh(): void {
    if (this.gap) {
      void this.search(this.wanted);
      return;
    }
    this.rows = [...this.fresh, ...this.rows];
    this.fresh = [];
  }

  /** One of them is now so. */
  changed(delivery: Delivery): void {
    this.rows = this.rows.map((row) => (row.delivery_id === delivery.delivery_id ? delivery : row));
  }

  #take(page: DeliveryPage, limit: number, hold: boolean): void {
    const { rows, fresh, gap } = refreshed(this.rows, page, limit);
    if (gap && !hold) {
      this.rows = page.deliveries;
      this.fresh = [];
      this.gap = false;
      this.#goOn(page);
      return;
    }
    this.rows = hold ? rows : [...fresh, ...rows];
    this.fresh = hold ? fresh : [];
    this.gap = gap;
    if (page.before === null) this.#goOn(page);
  }

  #goOn({ deliveries, before, looked_back_to }: DeliveryPage): void {
    this.before = before;
    this.lookedBackTo = before !== null && deliveries.length < PAGE ? looked_back_to : null;
  }

  async #ask(mine: number, before: string | null, limit: number): Promise<DeliveryPage | null> {
    this.busy = true;
    this.refusal = null;
    try {
      const page = await readPage(this.wanted, before, limit);
      if (mine !== this.#search) return null;
      this.told = true;
      return page;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (mine === this.#search) this.refusal = error;
      return null;
    } finally {
      if (mine === this.#search) this.busy = false;
    }
  }
}
