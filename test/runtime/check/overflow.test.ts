// Sums of gradients that leave f32: what a check takes for right.

import { expect, test } from "vitest";
import { createDeviation } from "../../../src/reference/deviation.ts";
import { addOrOverflow } from "../../../src/runtime/check/overflow.ts";

const largest = (2 - 2 ** -23) * 2 ** 127;

function worstOf(actual: number, expected: number, accepted = 0.5): number {
  const deviation = createDeviation();
  addOrOverflow(deviation, actual, expected, accepted, 0, 0);
  return deviation.worst;
}

test.each([
  [5, 5],
  [5.4, 5],
  [Infinity, Infinity],
  [Infinity, Number.NaN],
  [Number.NaN, Infinity],
  [Number.NaN, Number.NaN],
  [Infinity, 1e39],
  [-Infinity, -1e39],
])("%d is right where %d is expected", (actual, expected) => {
  expect(worstOf(actual, expected)).toBeLessThan(1);
});

test.each([
  [5.6, 5],
  [Infinity, 5],
  [Number.NaN, 5],
  [5, Infinity],
  [largest, Number.NaN],
  [Infinity, largest],
  [-Infinity, 1e39],
  [Number.NaN, 1e39],
  [1e38, 1e39],
])("%d is wrong where %d is expected", (actual, expected) => {
  expect(worstOf(actual, expected)).toBeGreaterThan(1);
});

test("where f32 ends, what rounding may add decides", () => {
  expect(worstOf(Infinity, largest, 2 ** 103)).toBeLessThan(1);
  expect(worstOf(Infinity, largest - 2 ** 105, 2 ** 103)).toBeGreaterThan(1);
});
