import { expect, test } from "vitest";
import { decide } from "../../src/tuning/decide.ts";

const first = { variant: "expected", ms: [10, 11, 30, 10, 10] };

test("the fastest variant wins, by the median of its rounds against the first", () => {
  const decision = decide([
    first,
    { variant: "good", ms: [8, 9, 24, 8, 8] },
    { variant: "best", ms: [5, 5.5, 15, 50, 5] },
  ]);
  expect(decision.chosen).toBe("best");
  expect(decision.speedups).toEqual([1, 1.25, 2]);
});

test.each([
  ["5 % faster wins", 10 / 1.05, "other"],
  ["4 % faster is not enough", 10 / 1.04, "expected"],
  ["slower is not", 12, "expected"],
])("a variant that is %s", (_, ms, chosen) => {
  const even = { variant: "expected", ms: [10, 10, 10] };
  expect(decide([even, { variant: "other", ms: [ms, ms, ms] }]).chosen).toBe(chosen);
});

test("a single lucky round decides nothing", () => {
  const even = { variant: "expected", ms: [10, 10, 10, 10, 10] };
  expect(decide([even, { variant: "other", ms: [10, 1, 10, 10, 10] }]).chosen).toBe("expected");
});

test("load that slows a whole round down changes nothing", () => {
  const loaded = { variant: "expected", ms: [10, 100, 10] };
  expect(decide([loaded, { variant: "other", ms: [9, 90, 9] }]).chosen).toBe("other");
});

test("times of 0, below the clock's resolution, make no winner", () => {
  const zero = { variant: "expected", ms: [0, 0, 0] };
  expect(decide([zero, { variant: "other", ms: [0, 0, 0] }]).chosen).toBe("expected");
});
