import { expect, test } from "vitest";
import { medianInterval } from "../../src/measure/median_interval.ts";
import { seededRandom } from "../../src/seeded_random.ts";
import { autoregressive } from "./series.ts";

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

test("four samples give no interval, five do", () => {
  expect(medianInterval(upTo(4))).toBeUndefined();
  expect(medianInterval(upTo(5))).toBeDefined();
});

test("the interval holds the median", () => {
  const [low, high] = medianInterval(upTo(21)) ?? [NaN, NaN];
  expect(low).toBeLessThan(11);
  expect(high).toBeGreaterThan(11);
});

test("the interval of values that cannot be negative does not reach below 0", () => {
  const rising = [0.1, 0.2, 1, 2, 5, 9];
  expect(medianInterval(rising)?.[0]).toBe(0);
  const around = rising.map((value) => value - 0.2);
  expect(medianInterval(around)?.[0]).toBeLessThan(0);
});

test("one outlier does not hide that a series remembers", () => {
  const remembering = upTo(40).map((i) => Math.sin(i / 4));
  const width = (values: readonly number[]): number => {
    const [low, high] = medianInterval(values) ?? [NaN, NaN];
    return high - low;
  };
  const shuffled = remembering.map((_, i) => remembering[(i * 17) % 40] ?? 0);
  expect(width(remembering)).toBeGreaterThan(2 * width(shuffled));
  expect(width(remembering.with(7, 1e6))).toBeGreaterThan(2 * width(shuffled));
});

test("the interval is about as wide as theory says: 1.96 · 1.2533 · σ / √n either way", () => {
  const random = seededRandom(5);
  // A sum of twelve uniform values is close to normal with σ = 1.
  const values = upTo(400).map(() => upTo(12).reduce((sum) => sum + random(), 0));
  const [low, high] = medianInterval(values) ?? [NaN, NaN];
  const expected = (2 * 1.96 * 1.2533) / Math.sqrt(400);
  expect(high - low).toBeGreaterThan(expected * 0.6);
  expect(high - low).toBeLessThan(expected * 1.6);
});

test("equal samples have an interval without width", () => {
  expect(medianInterval([2, 2, 2, 2, 2])).toEqual([2, 2]);
});

/** Share of intervals of series around 0 that hold 0. */
function coverage(samples: number, memory: number, series: number, of = (x: number) => x): number {
  const random = seededRandom(1000 * samples + Math.round(100 * memory));
  let held = 0;
  for (let each = 0; each < series; each += 1) {
    const values = autoregressive(samples, memory, random).map(of);
    const [low, high] = medianInterval(values) ?? [NaN, NaN];
    if (low <= of(0) && of(0) <= high) held += 1;
  }
  return held / series;
}

const memories = [0, 0.3, 0.6, 0.8];

test.each([5, 8, 12, 19, 20, 40, 80, 200])(
  "of %i samples, an interval holds the true median in 93 of 100 series and more, whatever they remember",
  (samples) => {
    for (const memory of memories) {
      expect(
        coverage(samples, memory, samples < 80 ? 600 : 300),
        `memory ${memory}`,
      ).toBeGreaterThanOrEqual(0.93);
    }
  },
  60_000,
);

test("it does so for times as well, which scatter upwards", () => {
  for (const memory of memories) {
    expect(coverage(20, memory, 300, Math.exp), `memory ${memory}`).toBeGreaterThanOrEqual(0.93);
  }
});

test("control: a bootstrap that takes steps for independent misses it in one of three", () => {
  const random = seededRandom(5);
  let held = 0;
  for (let each = 0; each < 200; each += 1) {
    const values = autoregressive(50, 0.8, random);
    // In another order they do not remember, and scatter as before.
    const [low, high] = medianInterval(shuffle(values, random)) ?? [NaN, NaN];
    if (low <= 0 && 0 <= high) held += 1;
  }
  expect(held / 200).toBeLessThan(0.7);
});

function shuffle(values: readonly number[], random: () => number): number[] {
  return values
    .map((value) => ({ value, key: random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ value }) => value);
}
