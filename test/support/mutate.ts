// Faults in files: text that is cut off or scribbled into, values that no program writes.

import type { RandomSource } from "../../src/seeded_random.ts";

const absurd: readonly unknown[] = [
  -1,
  0,
  -0,
  1,
  0.5,
  1e-320,
  1e308,
  -1e308,
  2 ** 31,
  2 ** 53,
  null,
  true,
  "",
  "\u0000",
  "__proto__",
  "NaN",
  "x".repeat(1000),
  [],
  [[]],
  [null],
  {},
  { each: [] },
  { each: [1] },
  { each: [1, 2, 3, 4, 5, 6] },
  { each: [null, "x"] },
];

/** A whole number below `count`, evenly. */
export function belowOf(random: RandomSource) {
  return (count: number): number => Math.floor(random() * count);
}

/** Some characters are lost, doubled, nested or replaced. */
export function scribbled(text: string, random: RandomSource): string {
  const below = belowOf(random);
  const at = below(text.length);
  const length = below(40);
  const cut = [
    text.slice(0, at),
    text.slice(0, at) + text.slice(at + length),
    text.slice(0, at) + text.slice(at, at + length) + text.slice(at),
    `${text.slice(0, at)}${"[".repeat(below(5000))}${text.slice(at)}`,
    `${text.slice(0, at)}${String.fromCharCode(below(0x10000))}${text.slice(at + 1)}`,
  ];
  return cut[below(cut.length)] ?? "";
}

/** Changes one value in place. A walk from the outside in finds it, so that whole parts are hit as often as single values. */
export function mutate(content: object, random: RandomSource): void {
  const below = belowOf(random);
  let inner = content as Record<string, unknown>;
  for (;;) {
    const keys = Object.keys(inner);
    const key = keys[below(keys.length)];
    if (key === undefined) return;
    const value = inner[key];
    if (typeof value === "object" && value !== null && below(8) > 0) {
      inner = value as Record<string, unknown>;
      continue;
    }
    change(inner, key, below);
    return;
  }
}

function change(
  inner: Record<string, unknown>,
  key: string,
  below: (count: number) => number,
): void {
  const value = inner[key];
  const isNumber = typeof value === "number";
  switch (below(isNumber ? 6 : 4)) {
    case 0:
      if (Array.isArray(inner)) inner.splice(Number(key), 1);
      else delete inner[key];
      return;
    case 1: {
      const keys = Object.keys(inner);
      inner[key] = structuredClone(inner[keys[below(keys.length)] ?? key]);
      return;
    }
    case 2:
      if (Array.isArray(value)) value.push(...structuredClone(value));
      else inner[`${key}x`] = value;
      return;
    case 3:
      inner[key] = structuredClone(absurd[below(absurd.length)]);
      return;
    case 4:
      inner[key] = -Number(value);
      return;
    default:
      inner[key] = Number(value) * [1e-6, 0.5, 1.01, 3, 1e6][below(5)]!;
  }
}
