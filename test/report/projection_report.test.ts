import { expect, test } from "vitest";
import { noCost } from "../../src/program/simulate/cost.ts";
import { projectionSection } from "../../src/report/sections/projection.ts";
import type { Projection } from "../../src/result/result.ts";
import { measured } from "../support/given.ts";
import { shownBlocks } from "../support/shown.ts";

const projection: Projection = {
  stepMs: { ...measured(9, "ms"), provenance: "projected", conditions: ["simulated"] },
  ranks: [],
  from: {
    latencyMs: 0.02,
    repeats: [[{ instructions: [{ ...noCost, compute: 2 }], rest: noCost }]],
  },
};
function besideOf(computeMs: number) {
  return {
    metrics: { stepMs: measured(10, "ms", [9, 11]) },
    samples: [{ ranks: [{ computeMs }] }],
  };
}
function told(...given: Parameters<typeof projectionSection>): string {
  return shownBlocks(projectionSection(...given))
    .join(" ")
    .replaceAll(/\s+/g, " ");
}

test("the projected step stands beside the measured one, with what kernels took there", () => {
  const text = told(projection, besideOf(3));
  expect(text).toContain("step 9 ms 10 ms 9 … 11 ms 0.9×");
  expect(text).toContain("in the measured steps, kernels took 1.5 times as long as alone");
});

test("alone, there is nothing to hold it against", () => {
  const text = told(projection, undefined);
  expect(text).toContain("step 9 ms projected: simulated; wake-up of a waiting rank 20 µs.");
  expect(text).not.toContain("measured");
});
