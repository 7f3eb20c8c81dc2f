import { expect, test } from "vitest";
import { median, outliers, percentile, variance } from "../../src/measure/statistics.ts";

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

test("the median of an odd number of values is the middle one, whatever their order", () => {
  expect(median([9, 1, 5])).toBe(5);
});

test("the median of an even number of values lies halfway between the middle two", () => {
  expect(median([4, 1, 2, 100])).toBe(3);
});

test("no values have no median", () => {
  expect(() => median([])).toThrow(RangeError);
});

test("a percentile is a value that occurred: nearest rank", () => {
  expect(percentile(upTo(10), 50)).toBe(5);
  expect(percentile(upTo(100), 90)).toBe(90);
});

test.each([
  [50, 10],
  [90, 50],
  [99, 500],
])("p%i needs %i samples", (p, needed) => {
  expect(percentile(upTo(needed - 1), p)).toBeUndefined();
  expect(percentile(upTo(needed), p)).toBeDefined();
});

test("control: an ordinary spread has no outliers", () => {
  expect(outliers([10, 11, 9, 10.5, 9.5])).toEqual([]);
});

test("a value beyond 14.826 MAD is an outlier, one just within is not", () => {
  // Median 10, MAD 1.
  const around = [8, 9, 9, 10, 10, 11, 11, 12];
  expect(outliers([...around, 10 + 14.8])).toEqual([]);
  expect(outliers([...around, 10 + 14.9])).toEqual([8]);
});

test("where most values are equal nothing is called an outlier", () => {
  expect(outliers([5, 5, 5, 5, 900])).toEqual([]);
});

test("variance is of the values themselves", () => {
  expect(variance([2, 4])).toBe(1);
  expect(variance([21, 21, 21])).toBe(0);
});
