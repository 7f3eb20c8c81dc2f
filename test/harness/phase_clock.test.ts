import { expect, test } from "vitest";
import { createPhaseClock } from "../../src/harness/phase_clock.ts";
import { phasesSection } from "../../src/report/sections/phases.ts";

test("each phase has the time until the next, and one that comes again has both", () => {
  let now = 100;
  const clock = createPhaseClock(() => now);
  clock.turnTo("ranks");
  now += 5;
  clock.turnTo("check");
  now += 7;
  clock.turnTo("check");
  now += 1;
  clock.turnTo("ranks");
  now += 3;
  expect(clock.times()).toEqual([
    { phase: "ranks", ms: 8 },
    { phase: "check", ms: 8 },
  ]);
});

test("what comes before the first phase is of none", () => {
  let now = 0;
  const clock = createPhaseClock(() => now);
  now += 50;
  expect(clock.times()).toEqual([]);
  clock.turnTo("adapters");
  now += 2;
  expect(clock.times()).toEqual([{ phase: "adapters", ms: 2 }]);
});

test("the report says where the time went, and nothing of a result without it", () => {
  const shown = phasesSection({
    phases: [
      { phase: "ranks", ms: 1240 },
      { phase: "warm-up", ms: 2000 },
    ],
  });
  expect(shown.blocks).toMatchObject([{ spans: ["3.2 s in all: ranks 1.2, warm-up 2.0"] }]);
  expect(phasesSection({}).blocks).toEqual([]);
});
