/** Telephone numbers as people in Korea write them, masked ones too. */

const GROUPS: readonly [RegExp, readonly number[]][] = [
  [/^02.{7}$/, [2, 3, 4]],
  [/^02.{8}$/, [2, 4, 4]],
  [/^050..{8}$/, [4, 4, 4]],
  [/^0[1-9].{8}$/, [3, 3, 4]],
  [/^0[1-9].{9}$/, [3, 4, 4]],
  [/^1[568]..{5}$/, [4, 4]],
];

/** The number with its groups set apart; what is no such number (an extension, a SIP user) stays as it is. */
export function showNumber(number: string): string {
  const abroad = /^\+82(?=[1-9])/.test(number);
  const digits = abroad ? `0${number.slice(3)}` : number;
  if (!/^[\d*]+$/.test(digits)) return number;
  const groups = GROUPS.find(([form]) => form.test(digits))?.[1];
  if (groups === undefined) return number;
  const parts: string[] = [];
  let from = 0;
  for (const length of groups) {
    parts.push(digits.slice(from, from + length));
    from += length;
  }
  const shown = parts.join("-");
  return abroad ? `+82 ${shown.slice(1)}` : shown;
}
