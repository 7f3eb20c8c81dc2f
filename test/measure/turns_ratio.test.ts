import { expect, test } from "vitest";
import { turnsRatio } from "../../src/measure/turns_ratio.ts";
import { timeGate } from "../../src/result/gate.ts";
import { seededRandom } from "../../src/seeded_random.ts";

/** Turns that scatter by a twentieth, one in ten of them disturbed. */
function turns(seed: number, slower: number, count = 20) {
  const random = seededRandom(seed);
  const step = (): number => (0.95 + 0.1 * random()) * (random() < 0.1 ? 3 : 1);
  return Array.from({ length: count }, () => ({ reference: step(), own: slower * step() }));
}

test("the ratio is the openings' median, within what each of them reaches", () => {
  const openings = [turns(1, 1.1), turns(2, 1.2), turns(3, 1.3)];
  const { ratio, interval, pairs } = turnsRatio(openings);
  expect(ratio).toBeCloseTo(1.2, 1);
  expect(pairs).toBe(60);
  expect(interval?.[0]).toBeLessThan(1.12);
  expect(interval?.[1]).toBeGreaterThan(1.28);
});

test("a step that takes a sixth longer fails, and the same one never does", () => {
  const gateOf = (seed: number, slower: number) =>
    timeGate(turnsRatio([0, 1, 2].map((i) => turns(3 * seed + i, slower))), 0.05).state;
  const seeds = Array.from({ length: 40 }, (_, seed) => seed);
  expect(seeds.map((seed) => gateOf(seed, 1)).filter((state) => state === "failed")).toEqual([]);
  const caught = seeds.filter((seed) => gateOf(seed, 1.16) === "failed");
  expect(caught.length).toBeGreaterThanOrEqual(36);
});

test("an opening that alone was slow decides nothing", () => {
  const { interval } = turnsRatio([turns(1, 1.3), turns(2, 1.3), turns(3, 1)]);
  expect(interval?.[0]).toBeLessThan(1.05);
});

test("of few turns there is no interval", () => {
  const { interval, pairs } = turnsRatio([turns(1, 1, 10), turns(2, 1, 4)]);
  expect(interval).toBeUndefined();
  expect(pairs).toBe(14);
});
