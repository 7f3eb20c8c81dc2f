import { expect, test } from "vitest";
import { kernelSlowdown } from "../../src/measure/kernel_slowdown.ts";
import { noCost } from "../../src/program/simulate/cost.ts";

/** Of two ranks, a kernel and something else each. */
function alone(...kernelMs: readonly number[]) {
  return {
    latencyMs: 0,
    repeats: kernelMs.map((ms) =>
      [0, 1].map(() => ({
        instructions: [
          { ...noCost, compute: ms },
          { ...noCost, host: 5 },
        ],
        rest: noCost,
      })),
    ),
  };
}
function step(first: number, second: number) {
  return {
    ranks: [{ computeMs: first }, { computeMs: second }],
  };
}

test("kernels of all ranks, the median step against the median one alone", () => {
  const steps = [step(9, 9), step(2, 4), step(1, 1)];
  expect(kernelSlowdown(steps, alone(2, 50, 1))).toBe(6 / 4);
});

test("nothing is said where nothing was measured, alone or together, or no kernel ran", () => {
  expect(kernelSlowdown([], alone(1))).toBeUndefined();
  expect(kernelSlowdown([step(1, 1)], alone())).toBeUndefined();
  expect(kernelSlowdown([step(0, 0)], alone(0))).toBeUndefined();
});
