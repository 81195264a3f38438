/** A body as people can read it. */

/** Characters of a body that are shown before somebody asks for all of it. */
export const SHOWN_AT_FIRST = 40_000;
/** A deeper level is indented no further: what is nested a thousand times must not fill the page with blanks. */
const DEEPEST = 40;

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g;

/**
 * JSON on lines of its own, null for what is none.
 *
 * It is set out anew, not read and written: a number keeps its digits, and a name that stands twice stays. In strings
 * letters that are written as escapes are shown as letters.
 */
export function setOut(text: string): string | null {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  const parts: string[] = [];
  let depth = 0;
  let opened = false;
  const line = (): string => `\n${"  ".repeat(Math.min(depth, DEEPEST))}`;
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "}" || token === "]") {
      depth -= 1;
      parts.push(opened ? token : line() + token);
      opened = false;
      continue;
    }
    if (opened) parts.push(line());
    opened = token === "{" || token === "[";
    if (opened) depth += 1;
    if (token === ",") parts.push(token, line());
    else if (token === ":") parts.push(": ");
    else parts.push(token.startsWith('"') ? legible(token) : token);
  }
  return parts.join("");
}

/** A string of JSON, its letters shown as such. */
const legible = (token: string): string => (token.includes("\\") ? JSON.stringify(JSON.parse(token)) : token);

/** The beginning of it, and how many characters are left out. No character is cut in two. */
export function beginningOf(text: string, most: number): { shown: string; left: number } {
  if (text.length <= most) return { shown: text, left: 0 };
  const inside = text.charCodeAt(most - 1);
  const end = inside >= 0xd800 && inside <= 0xdbff ? most - 1 : most;
  return { shown: text.slice(0, end), left: text.length - end };
}

/** `8.2 KB`. */
export function sizeOf(bytes: number, language: string): string {
  const [value, unit] =
    bytes < 1024 ? [bytes, "B"] : bytes < 1_048_576 ? [bytes / 1024, "KB"] : [bytes / 1_048_576, "MB"];
  return `${value.toLocaleString(language, { maximumFractionDigits: unit === "B" ? 0 : 1 })} ${unit}`;
}
