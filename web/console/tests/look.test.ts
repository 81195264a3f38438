/** What the style sheet and the pages promise, read from the files themselves. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

const tokens = new Map(
  [...read("src/styles/tokens.css").matchAll(/--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(
    ([, name, light, dark]) => [name!, { light: light!, dark: dark! }],
  ),
);

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function contrast(one: string, other: string): number {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high! + 0.05) / (low! + 0.05);
}

describe("contrast", () => {
  const grounds = ["ground", "surface", "raised", "sunken", "hover"];
  const pairs: [string, string][] = [
    ...["text", "text-soft", "text-faint", "accent"].flatMap((text) =>
      grounds.map((ground): [string, string] => [text, ground]),
    ),
    ["text", "accent-soft"],
    ["text-soft", "accent-soft"],
    ["text-faint", "accent-soft"],
    ["accent-strong", "accent-soft"],
    ["accent-strong", "surface"],
    ["on-accent", "accent"],
    ["on-accent", "accent-strong"],
    ["warn", "warn-soft"],
    ["warn", "surface"],
    ["danger", "danger-soft"],
    ["danger", "surface"],
  ];

  it.each(pairs)("of %s on %s is enough to read, light and dark", (text, ground) => {
    for (const scheme of ["light", "dark"] as const) {
      expect(contrast(tokens.get(text)![scheme], tokens.get(ground)![scheme])).toBeGreaterThanOrEqual(4.5);
    }
  });

  it.each(["surface", "ground"])("of a field's border on %s is enough to see", (ground) => {
    for (const scheme of ["light", "dark"] as const) {
      expect(contrast(tokens.get("line-strong")![scheme], tokens.get(ground)![scheme])).toBeGreaterThanOrEqual(3);
    }
  });
});

describe("the pages", () => {
  it.each(["index.html", "docs/index.html"])("%s has no inline script or style and no other origin", (path) => {
    const page = read(path);
    expect(page).not.toMatch(/<script(?![^>]*\ssrc=)/);
    expect(page).not.toMatch(/<style|\sstyle=|\son[a-z]+=/);
    expect(page).not.toMatch(/(?:src|href)="(?!\/[^/])/);
  });
});
