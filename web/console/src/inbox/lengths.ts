/** How long a run took, which is mostly less than a second. */

export function lengthOf(seconds: number, language: string): string {
  const ms = Math.max(0, seconds) * 1000;
  if (ms < 1000) return `${ms.toLocaleString(language, { maximumFractionDigits: ms < 10 ? 1 : 0 })} ms`;
  return `${(ms / 1000).toLocaleString(language, { maximumFractionDigits: 1 })} s`;
}
