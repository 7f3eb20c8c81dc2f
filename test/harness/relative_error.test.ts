import { describe, expect, test } from "vitest";
import { relativeError } from "../../src/harness/relative_error.ts";

function error(actual: readonly number[], expected: readonly number[]): number {
  return relativeError(Float64Array.from(actual), Float64Array.from(expected));
}

describe("the relative error", () => {
  test("is the largest difference over the largest value expected", () => {
    expect(error([1, 2, -4.5], [1, 2, -4])).toBe(0.125);
  });

  test("is absolute where everything expected is 0", () => {
    expect(error([0, 0.25], [0, 0])).toBe(0.25);
  });

  test("sees a small result that is wrong", () => {
    expect(error([0], [2 ** -140])).toBe(1);
    expect(error([2 ** -90], [2 ** -120])).toBeGreaterThan(1);
  });

  test("is infinite where a value is missing or not a number", () => {
    expect(error([1], [1, 2])).toBe(Infinity);
    expect(error([Number.NaN], [1])).toBe(Infinity);
  });
});
