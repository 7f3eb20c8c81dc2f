import { expect, test } from "vitest";
import { figureOf } from "../../src/measure/figures.ts";
import { type Margins, marginsOf, NO_MARGINS, widened } from "../../src/measure/margin.ts";

const quiet = { othersShare: 0, stolenShare: 0 };
function beside(othersShare: number, stolenShare: number) {
  return {
    before: quiet,
    during: { othersShare, stolenShare },
  };
}

test("on a quiet machine whose peaks stay, only a single run has a margin", () => {
  expect(marginsOf({ loads: [], peakChange: 0, isSoftware: false })).toEqual({
    ...NO_MARGINS,
    alone: 0.05,
  });
  expect(marginsOf({ loads: [beside(0.02, 0.005)], peakChange: 0.03, isSoftware: false })).toEqual({
    ...NO_MARGINS,
    alone: 0.05,
  });
});

test("a single run's margin is what its peaks changed by, in either direction, if that is more", () => {
  expect(marginsOf({ loads: [], peakChange: 0.2, isSoftware: false }).alone).toBe(0.2);
  expect(marginsOf({ loads: [], peakChange: -0.2, isSoftware: false }).alone).toBe(0.2);
});

test("the margin for load is what the heaviest costs", () => {
  const loads = [beside(0.1, 0), beside(0.15, 0.05)];
  expect(marginsOf({ loads, peakChange: 0, isSoftware: false }).load).toBeCloseTo(0.25, 12);
});

test("a margin is a factor either way, and outwards below 0 too", () => {
  expect(widened([100, 110], 0.25)).toEqual([80, 137.5]);
  expect(widened([-10, 8], 0.25)).toEqual([-12.5, 10]);
  expect(widened([-10, -8], 0.25)).toEqual([-12.5, -6.4]);
});

const values = [10, 10, 10, 10, 10];
function figure(runs: number, margins: Margins) {
  return figureOf(
    Array.from({ length: runs }, () => values),
    "ms",
    {
      provenance: "measured",
      conditions: [],
      margins,
    },
  );
}

test("cores that a software adapter computes on change their speed, however many runs there are", () => {
  expect(marginsOf({ loads: [], peakChange: 0, isSoftware: true }).drift).toBe(0.25);
});

test("a figure of a single run holds all margins, one of several those that runs in a row share", () => {
  const alone = { ...NO_MARGINS, alone: 0.25 };
  expect(figure(1, alone)).toMatchObject({ interval: [8, 12.5], margin: 0.25 });
  expect(figure(1, { ...alone, load: 1 })).toMatchObject({ interval: [4, 25], margin: 1.5 });
  expect(figure(3, { ...alone, load: 1 })).toMatchObject({ interval: [5, 20], margin: 1 });
  expect(figure(3, { ...alone, drift: 0.25 })).toMatchObject({ interval: [8, 12.5], margin: 0.25 });
  expect(figure(3, alone)).not.toHaveProperty("margin");
});

test("no margin takes a share above 1 that no sample was above", () => {
  const share = (value: number) =>
    figureOf([Array.from({ length: 5 }, () => value)], "share", {
      provenance: "measured",
      conditions: [],
      margins: { ...NO_MARGINS, drift: 0.25 },
    })?.interval;
  expect(share(0.9)).toEqual([0.72, 1]);
  expect(share(0.5)).toEqual([0.4, 0.625]);
  expect(share(1.1)).toEqual([expect.closeTo(0.88, 12), 1.1]);
});

test("control: without margins none is told", () => {
  const conditions = { provenance: "measured", conditions: [] } as const;
  expect(figureOf([values], "ms", conditions)).toMatchObject({ interval: [10, 10] });
  expect(figureOf([values], "ms", conditions)).not.toHaveProperty("margin");
});

test("clocks of several hosts make times longer and shorter, and rates by their part of a step", () => {
  const clocks = { apartMs: 2, stepMs: 100 };
  const margins = marginsOf({ loads: [], peakChange: 0, isSoftware: false, clocks });
  expect(margins).toEqual({ ...NO_MARGINS, alone: 0.05, clockMs: 2, clockShare: 0.02 });
  const found = (unit: "ms" | "samples/s", clockMargins: Margins) =>
    figureOf([[96, 98, 100, 102, 104, 106, 108, 110]], unit, {
      provenance: "measured",
      conditions: [],
      margins: clockMargins,
    })?.interval ?? [0, 0];
  const withoutClocks = { ...margins, clockMs: 0, clockShare: 0 };
  const [low, high] = found("ms", withoutClocks);
  expect(found("ms", margins)).toEqual([low - 2, high + 2]);
  const [less, more] = found("samples/s", withoutClocks);
  expect(found("samples/s", margins)[0]).toBeCloseTo(less / 1.02, 9);
  expect(found("samples/s", margins)[1]).toBeCloseTo(more * 1.02, 9);
  // No time is negative.
  expect(found("ms", { ...margins, clockMs: 1000 })[0]).toBe(0);
});
