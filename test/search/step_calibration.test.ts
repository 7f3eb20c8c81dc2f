// Runs are made up of instructions that take what a rule says: what is known of the hardware is that rule, and nothing else.

import { expect, test } from "vitest";
import type { PlanFile } from "../../src/plan/schema.ts";
import { lower } from "../../src/program/lower.ts";
import { byKind, noCost, type Cost } from "../../src/program/simulate/cost.ts";
import { createHardwareCost } from "../../src/program/simulate/hardware_cost.ts";
import type { Instruction } from "../../src/program/program.ts";
import { simulate } from "../../src/program/simulate/simulate.ts";
import { timedStep } from "../../src/search/timed/timed_cost.ts";
import { calibrateStep, type MeasuredPlan } from "../../src/search/step_calibration.ts";
import { dense, experts, overheads, peaks, planOf, training } from "./plans.ts";

const latencyMs = 0.05;

/** Kernels far from the roofline, the more so the smaller they are; transfers cost at both ends. */
function createTruth(): (rank: number, instruction: Instruction) => Cost {
  const atPeaks = createHardwareCost(peaks, 0);
  return (rank, instruction) => {
    const { compute, upload, reduce } = atPeaks(rank, instruction);
    const costs = { ...noCost, host: 0.01, compute: 0.02 + 3 * compute, reduce: 2 * reduce };
    return { ...costs, readback: upload, move: upload / 2, upload };
  };
}

function runOf(file: PlanFile, slower = 1): MeasuredPlan {
  const plan = planOf(file);
  const program = lower(plan);
  const truth = createTruth();
  const costs = program.ranks.map(({ rank, instructions }) => ({
    instructions: instructions.map((instruction) => truth(rank, instruction)),
    rest: byKind((kind) => (kind === "host" ? 0.3 : 0)),
  }));
  const { wallMs } = simulate(program, costs, latencyMs);
  return {
    file,
    plan,
    stepMs: slower * wallMs,
    timed: timedStep(program, { repeats: [costs], latencyMs }),
  };
}

const shape = { layers: 4, hidden: 64, heads: 4, vocabulary: 512 };

function denseOf(layers: number, hidden = 64): PlanFile {
  return { ...dense, model: { ...shape, layers, hidden, ffn: 4 * hidden } };
}

test("a plan of timed instructions takes what it takes", () => {
  const runs = [runOf(dense, 1.2), runOf(training, 1.2)];
  const deeper = runOf(denseOf(8));
  const { parts, ratios, from } = calibrateStep(runs, deeper.file, deeper.plan, peaks, overheads);
  expect(from).toBe("timed instructions");
  expect(parts.stepMs / deeper.stepMs).toBeCloseTo(1, 9);
  expect(ratios).toHaveLength(2);
});

test("kernels of other shapes and transfers of other sizes come from those that are alike", () => {
  const runs = [256, 512, 1024].map((hidden) => runOf(denseOf(4, hidden), 1.5));
  const between = runOf(denseOf(4, 768));
  const { parts, ratios } = calibrateStep(runs, between.file, between.plan, peaks, overheads);
  expect(parts.stepMs / between.stepMs).toBeGreaterThan(0.9);
  expect(parts.stepMs / between.stepMs).toBeLessThan(1.1);
  // Each run from the others: nearly what contention costs them all.
  for (const ratio of ratios) expect(Math.abs(ratio / 1.5 - 1)).toBeLessThan(0.25);
});

test("where ranks of one run were not timed, the roofline tells of all", () => {
  const { timed: _, ...untimed } = runOf(experts);
  const runs = [runOf(dense), untimed];
  expect(calibrateStep(runs, dense, planOf(dense), peaks, overheads).from).toBe("roofline");
});

test("what a plan has and no run had is modeled from all kernels", () => {
  const runs = [runOf(dense), runOf(denseOf(2))];
  const other = runOf(experts);
  const { parts } = calibrateStep(runs, other.file, other.plan, peaks, overheads);
  expect(parts.stepMs / other.stepMs).toBeGreaterThan(0.5);
  expect(parts.stepMs / other.stepMs).toBeLessThan(2);
});
