// How many steps are asked for at once, and that no more are taken than were asked for.

import { expect, test } from "vitest";
import { sample, type SamplingOptions, warmUp } from "../../src/harness/sampling.ts";

/** How many steps were asked for each time, and those that were given. */
async function asked(stepMs: number, options: Partial<SamplingOptions>) {
  let now = 0;
  let steps = 0;
  const counts: number[] = [];
  const given: number[] = [];
  await sample(
    async (count) => {
      counts.push(count);
      now += count * stepMs;
      return Array.from({ length: count }, () => (steps += 1));
    },
    { warmup: 0, budgetMs: 0, ...options },
    (step, done) => {
      expect(step).toBe(done);
      given.push(step);
    },
    () => now,
  );
  return { counts, given };
}

test("short steps are taken many at once, and exactly as many as are wanted", async () => {
  const { counts, given } = await asked(1, { samples: 20_000 });
  expect(given).toHaveLength(20_000);
  expect(Math.max(...counts)).toBe(50);
  expect(counts.length).toBeLessThan(500);
});

test("no more than a hundred are, however short", async () => {
  const { counts } = await asked(0.001, { samples: 5000 });
  expect(Math.max(...counts)).toBe(100);
});

test("long steps are taken one by one", async () => {
  const { counts } = await asked(60, { samples: 8 });
  expect(counts).toEqual(Array.from({ length: 8 }, () => 1));
});

test("a budget is passed by less than what is taken at once", async () => {
  const { given } = await asked(1, { budgetMs: 400 });
  expect(given.length).toBeGreaterThanOrEqual(400);
  expect(given.length).toBeLessThan(450);
});

test("there is a step between what is done between steps", async () => {
  let pauses = 0;
  const between = async (): Promise<void> => {
    pauses += 1;
  };
  const { counts } = await asked(1, { samples: 30, between });
  expect(pauses).toBe(30);
  expect(Math.max(...counts)).toBe(1);
});

test.each([
  [0, 10],
  [300, 7],
  [1000, 0],
  [1600, 0],
])("after %i ms of steps, %i more of 100 ms warm up", async (warmMs, wanted) => {
  let now = 0;
  let steps = 0;
  const step = async (): Promise<void> => {
    now += 100;
    steps += 1;
  };
  await warmUp(step, { warmMs }, () => now);
  expect(steps).toBe(wanted);
});

test("as many steps warm up as were asked for, whatever came before", async () => {
  let steps = 0;
  await warmUp(async () => (steps += 1), { warmup: 2, warmMs: 5000 });
  expect(steps).toBe(2);
});
