import { expect, test } from "vitest";
import {
  greatestAutocorrelation,
  rankAutocorrelation,
  ranksOf,
} from "../../src/measure/autocorrelation.ts";
import { ascending } from "../../src/measure/statistics.ts";
import { seededRandom } from "../../src/seeded_random.ts";
import { autoregressive } from "./series.ts";

test("ranks count from 0, and equal values share the mean of theirs", () => {
  const found = (values: number[]) => [...ranksOf(values, ascending(values))];
  expect(found([30, 10, 20])).toEqual([2, 0, 1]);
  expect(found([5, 1, 5, 5])).toEqual([2, 0, 2, 2]);
});

test("neighbours of a long series agree as much as it remembers", () => {
  for (const memory of [0, 0.4, 0.8]) {
    const found = rankAutocorrelation(autoregressive(5000, memory, seededRandom(1)));
    expect(Math.abs(found - memory)).toBeLessThan(0.05);
  }
});

test("equal values remember nothing, though all are the same", () => {
  expect(rankAutocorrelation([3, 3, 3, 3])).toBe(0);
});

test("steps that alternate have a negative autocorrelation", () => {
  expect(rankAutocorrelation([1, 2, 1, 2, 1, 2, 1, 2])).toBeLessThan(-0.8);
});

test("the greatest autocorrelation lies over the one found, and less so the longer the series", () => {
  const over = (count: number): number => {
    const values = autoregressive(count, 0.3, seededRandom(2));
    return greatestAutocorrelation(values) - rankAutocorrelation(values);
  };
  expect(over(20)).toBeGreaterThan(over(200));
  expect(over(200)).toBeGreaterThan(over(2000));
  expect(over(2000)).toBeGreaterThan(0);
});

test("it stays within 0 … 0.95: of four values nothing is known, alternating ones count as none", () => {
  expect(greatestAutocorrelation([1, 5, 2, 4])).toBe(0.95);
  expect(greatestAutocorrelation(Array.from({ length: 100 }, (_, i) => i))).toBe(0.95);
  expect(greatestAutocorrelation(Array.from({ length: 100 }, (_, i) => i % 2))).toBe(0);
});
