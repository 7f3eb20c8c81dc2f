import { expect, test } from "vitest";
import { createForecast } from "../../src/harness/forecast.ts";

function clock(): { now: () => number; pass: (ms: number) => void } {
  let at = 1000;
  return {
    now: () => at,
    pass: (ms) => {
      at += ms;
    },
  };
}

test("says the median of the steps so far, and of a number of samples what those left take", () => {
  const { now, pass } = clock();
  const forecast = createForecast({ budgetMs: 5000, samples: 10 }, now);
  expect(forecast.at(0)).toEqual({});
  forecast.begin();
  for (const ms of [100, 300, 200]) {
    pass(ms);
    forecast.took(ms);
  }
  expect(forecast.at(3)).toEqual({ medianMs: 200, leftMs: 1400 });
});

test("of a time says what is left of it, and never less than nothing", () => {
  const { now, pass } = clock();
  const forecast = createForecast({ budgetMs: 1000, samples: undefined }, now);
  forecast.begin();
  forecast.took(400);
  pass(400);
  expect(forecast.at(1).leftMs).toBe(600);
  pass(1000);
  expect(forecast.at(1).leftMs).toBe(0);
});

test("is due some times a second, however short steps are", () => {
  const { now, pass } = clock();
  const forecast = createForecast({ budgetMs: 1000, samples: undefined }, now);
  forecast.begin();
  let due = 0;
  for (let step = 0; step < 1000; step += 1) {
    pass(1);
    if (forecast.isDue()) due += 1;
  }
  expect(due).toBe(5);
});
