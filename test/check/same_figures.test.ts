// What the check says of memory and load is what the program allocates and computes.

import fc from "fast-check";
import { expect, test } from "vitest";
import { checkPlan } from "../../src/check/check_plan.ts";
import { worldOf } from "../../src/plan/mesh.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { estimate, estimatePlan } from "../../src/program/estimate.ts";
import { loadPerGpu } from "../../src/program/load_per_gpu.ts";
import { lower } from "../../src/program/lower.ts";
import { arbitraryDegrees } from "../support/arbitrary_degrees.ts";
import { arbitraryPlan } from "../support/arbitrary_plan.ts";
import { plans } from "../support/plans.ts";

function expectSameFigures(plan: Plan): void {
  const counted = estimatePlan(plan);
  const program = estimate(lower(plan), plan);
  const load = loadPerGpu(plan, counted);
  const all = program.ranks.reduce((sum, { flops }) => sum + flops, 0);
  for (const [i, rank] of program.ranks.entries()) {
    expect(counted.ranks[i]?.memoryBytes).toBe(rank.memoryBytes);
    expect(counted.ranks[i]?.flops).toBeCloseTo(rank.flops, 3);
    expect(load[i]?.flopsShare).toBeCloseTo(all === 0 ? 0 : rank.flops / all, 9);
    const need = counted.memory[i];
    const withoutCache =
      plan.workload.mode === "inference"
        ? (need?.total ?? 0) - (need?.keyValueCache ?? 0)
        : counted.ranks[i]?.memoryBytes;
    expect(withoutCache).toBe(rank.memoryBytes);
    expect(need?.least).toBeLessThanOrEqual(need?.total ?? 0);
  }
}

test.each(plans.map((plan) => [plan.name, plan] as const))("%s", (_name, plan) => {
  expectSameFigures(plan);
});

test("of any stages, memory and load are the program's", () => {
  let seen = 0;
  fc.assert(
    fc.property(arbitraryPlan(), (plan) => {
      expectSameFigures(plan);
      seen += 1;
    }),
    { numRuns: 100 },
  );
  expect(seen).toBe(100);
});

test("of any degrees, memory and load are the program's", () => {
  let withoutCache = 0;
  fc.assert(
    fc.property(arbitraryDegrees({ maxContext: 1 }), (plan) => {
      expectSameFigures(plan);
      const { memory } = estimatePlan(plan);
      if (memory.every(({ keyValueCache }) => keyValueCache === 0)) withoutCache += 1;
    }),
    { numRuns: 80, seed: 1 },
  );
  expect(withoutCache).toBeGreaterThan(10);
});

test("the message names the fullest GPU's bytes", () => {
  fc.assert(
    fc.property(arbitraryDegrees(), (plan) => {
      const errors = checkPlan(plan).filter(({ severity }) => severity === "error");
      expect(errors).toEqual([]);
      const { memory } = estimatePlan(plan);
      const most = Math.max(...memory.map(({ total }) => total));
      const memoryPerGpu = Math.ceil(most / 0.9);
      const exact: Plan = { ...plan, hardware: { ...plan.hardware, memoryPerGpu } };
      const codes = (bytes: number) =>
        checkPlan({ ...exact, hardware: { ...exact.hardware, memoryPerGpu: bytes } })
          .map(({ code }) => code)
          .filter((code) => /^memory-(headroom|exceeded)/.test(code));
      expect(codes(memoryPerGpu)).toEqual(["memory-headroom"]);
      expect(codes(Math.ceil(most))).toEqual(["memory-headroom-small"]);
      expect(codes(Math.ceil(most) - 1)).toHaveLength(1);
      expect(codes(Math.ceil(most) - 1)[0]).toMatch(/^memory-exceeded/);
    }),
    { numRuns: 60 },
  );
});

test("every rank of the degrees works, those that share a sequence alike, and no GPU besides", () => {
  fc.assert(
    fc.property(arbitraryDegrees({ maxContext: 3 }), (plan) => {
      if (plan.degrees === undefined) throw new Error("it has degrees");
      const loads = loadPerGpu(plan, estimatePlan(plan));
      const working = loads.filter(({ label }) => label !== "idle");
      expect(working).toHaveLength(worldOf(plan.degrees));
      expect(working.every(({ flopsShare }) => flopsShare > 0)).toBe(true);
    }),
    { numRuns: 60 },
  );
});
