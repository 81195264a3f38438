/** Looks again and again, while the page is on show. */

/**
 * Do it now, and again so long after it has ended, and at once when the page comes back into view. Returns what ends
 * it.
 */
export function regularly(intervalMs: number, look: () => Promise<void>): () => void {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let looking = false;
  let ended = false;

  async function go(): Promise<void> {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (looking || ended || document.hidden) return;
    looking = true;
    try {
      await look();
    } finally {
      looking = false;
      if (!ended) timer = setTimeout(() => void go(), intervalMs);
    }
  }

  const shown = (): void => void go();
  document.addEventListener("visibilitychange", shown);
  void go();
  return () => {
    ended = true;
    if (timer !== null) clearTimeout(timer);
    document.removeEventListener("visibilitychange", shown);
  };
}
