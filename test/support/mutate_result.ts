// Result files that something went wrong with: cut off, scribbled into, with values that no run writes, with and
// without a digest that fits.

import type { RandomSource } from "../../src/measure/statistics.ts";
import { seal } from "../../src/report/seal.ts";

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

/** One to three faults in a file's text. */
export const mutatedResult = (text: string, random: RandomSource): string => {
  const below = (count: number): number => Math.floor(random() * count);
  if (random() < 0.15) return scribbled(text, below);
  const { sha256, ...content } = JSON.parse(text) as Record<string, unknown>;
  const faults = 1 + below(3);
  for (let fault = 0; fault < faults; fault += 1) mutate(content, below);
  const written = random() < 0.85 ? seal(content) : { ...content, sha256 };
  // JSON knows numbers that no number of the language is.
  return random() < 0.05
    ? JSON.stringify(written).replace(/\d+\.\d+/, "1e999")
    : JSON.stringify(written);
};

const scribbled = (text: string, below: (count: number) => number): string => {
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
};

/** Of a place that is found by a walk from the outside in, so that whole parts are hit as often as single values. */
const mutate = (content: Record<string, unknown>, below: (count: number) => number): void => {
  let inner: Record<string, unknown> = content;
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
};

const change = (
  inner: Record<string, unknown>,
  key: string,
  below: (count: number) => number,
): void => {
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
};
