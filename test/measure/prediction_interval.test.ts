import { expect, test } from "vitest";
import { predictionInterval } from "../../src/measure/prediction_interval.ts";
import { seededRandom } from "../../src/seeded_random.ts";

test("two ratios tell nothing of a third", () => {
  expect(predictionInterval([1, 2])).toBeUndefined();
});

test("ratios that agree leave no room, and the center is their geometric mean", () => {
  const { center, interval } = predictionInterval([2, 2, 2]) ?? { center: 0, interval: [0, 0] };
  expect(center).toBeCloseTo(2, 12);
  expect(interval[0]).toBeCloseTo(2, 12);
  expect(interval[1]).toBeCloseTo(2, 12);
  expect(predictionInterval([1, 2, 4])?.center).toBeCloseTo(2, 12);
});

test("by hand: three ratios, t of two degrees of freedom", () => {
  const half = 4.303 * Math.log(2) * Math.sqrt(1 + 1 / 3);
  const { interval } = predictionInterval([1, 2, 4]) ?? { interval: [0, 0] };
  expect(interval[0]).toBeCloseTo(2 * Math.exp(-half), 6);
  expect(interval[1]).toBeCloseTo(2 * Math.exp(half), 6);
});

test("of one more ratio of the same kind, about 95 in 100 lie within", () => {
  const random = seededRandom(7);
  const draw = (): number =>
    Math.exp(Array.from({ length: 12 }, random).reduce((sum, each) => sum + each - 0.5, 0));
  const trials = 4000;
  let held = 0;
  for (let trial = 0; trial < trials; trial++) {
    const [low, high] = predictionInterval(Array.from({ length: 6 }, draw))?.interval ?? [0, 0];
    const next = draw();
    if (low <= next && next <= high) held += 1;
  }
  expect(held / trials).toBeGreaterThan(0.93);
  expect(held / trials).toBeLessThan(0.97);
});
