import { expect, test } from "vitest";
import { byRun, figureOf } from "../../src/measure/figures.ts";
import { medianInterval } from "../../src/measure/median_interval.ts";
import { runsInterval } from "../../src/measure/runs_interval.ts";
import { seededRandom } from "../../src/seeded_random.ts";
import { autoregressive, normal } from "./series.ts";

function around(center: number, seed: number, count = 100): number[] {
  return autoregressive(count, 0.3, seededRandom(seed)).map((value) => center + value);
}

test("the interval of one run is that of its median", () => {
  const values = around(100, 1);
  expect(runsInterval([values])).toEqual(medianInterval(values));
});

test("runs that agree leave open what each of them leaves open, less as there are more", () => {
  const values = around(100, 1);
  const width = (runs: number): number => {
    const equal = Array.from({ length: runs }, () => values);
    const [low, high] = runsInterval(equal) ?? [NaN, NaN];
    return high - low;
  };
  expect(width(4)).toBeGreaterThan(0);
  expect(width(4) / width(1)).toBeGreaterThan(0.4);
  expect(width(4) / width(1)).toBeLessThan(0.6);
});

test("runs that differ are an interval apart, however sure each of them is", () => {
  const [low, high] = runsInterval([[99], [100], [101]]) ?? [NaN, NaN];
  // Student's t with two degrees of freedom, σ = 1, over √3.
  expect(low).toBeCloseTo(100 - 4.303 / Math.sqrt(3), 3);
  expect(high).toBeCloseTo(100 + 4.303 / Math.sqrt(3), 3);
});

test("the interval holds the median of the runs even where their mean is far off", () => {
  const [low, high] = runsInterval([[1], [1], [1], [1], [9]]) ?? [NaN, NaN];
  expect(low).toBeLessThanOrEqual(1);
  expect(high).toBeGreaterThan(2.6);
  expect(low).toBe(0);
});

test.each([2, 3, 5])(
  "%i runs that differ by themselves and within hold the truth in 93 of 100 cases and more",
  (count) => {
    const random = seededRandom(count);
    let held = 0;
    for (let each = 0; each < 300; each += 1) {
      const runs = Array.from({ length: count }, () => {
        const center = 50 + 2 * normal(random);
        return autoregressive(20, 0.5, random).map((value) => center + value);
      });
      const [low, high] = runsInterval(runs) ?? [NaN, NaN];
      if (low <= 50 && 50 <= high) held += 1;
    }
    expect(held / 300).toBeGreaterThanOrEqual(0.93);
  },
);

test("control: the interval of one such run misses it in most cases", () => {
  const random = seededRandom(9);
  let held = 0;
  for (let each = 0; each < 200; each += 1) {
    const center = 50 + 2 * normal(random);
    const values = autoregressive(100, 0.5, random).map((value) => center + value);
    const [low, high] = runsInterval([values]) ?? [NaN, NaN];
    if (low <= 50 && 50 <= high) held += 1;
  }
  expect(held / 200).toBeLessThan(0.5);
});

test("a figure of several runs is the median of their medians and says how many there were", () => {
  const samples = [
    { run: 0, ms: 1 },
    { run: 0, ms: 2 },
    { run: 0, ms: 3 },
    { run: 1, ms: 10 },
    { run: 2, ms: undefined },
    { run: 3, ms: 4 },
  ];
  const values = byRun(samples, ({ ms }) => ms);
  expect(values).toEqual([[1, 2, 3], [10], [4]]);
  const conditions = { provenance: "measured", conditions: [] } as const;
  expect(figureOf(values, "ms", conditions)).toMatchObject({ value: 4, samples: 5, runs: 3 });
  expect(figureOf([[1, 2, 3]], "ms", conditions)).not.toHaveProperty("runs");
  expect(figureOf([[], []], "ms", conditions)).toBeUndefined();
});
