// What the host takes before anything runs: parsing, checking, lowering, estimating, simulating. One task each, timed
// by tinybench; no adapter takes part.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Bench } from "tinybench";
import { checkPlan } from "../src/check/check_plan.ts";
import { parsePlan } from "../src/plan/load.ts";
import type { Plan } from "../src/plan/plan.ts";
import { estimate, estimatePlan } from "../src/program/estimate.ts";
import { lower } from "../src/program/lower.ts";
import { simulateHardware } from "../src/program/simulate/simulate_hardware.ts";

/** Of 4,096 GPUs. */
const large = `
name: large
hardware: { gpus: 4096, memoryPerGpu: 80GB }
workload: { mode: training, batch: 2048, microBatches: 64, sequence: 4096, dtype: f16, schedule: 1f1b }
model: { layers: 96, hidden: 12288, heads: 96, ffn: 49152, vocabulary: 51200 }
parallel: { tensor: 8, pipeline: 16, data: 32 }
`;

const texts = {
  "three-stage-pipeline": readFileSync("configs/three-stage-pipeline.json", "utf8"),
  "moe-ep3-tp2": readFileSync("configs/moe-ep3-tp2.json", "utf8"),
  "4,096 GPUs": large,
};
const peaks = { flops: 989e12, bandwidth: 3.35e12, linkBandwidth: 50e9 };

function parsed(text: string): Plan {
  const { plan, diagnostics } = parsePlan(text, "plan.yaml");
  if (plan === undefined) throw new Error(diagnostics[0]?.message);
  return plan;
}

function addTasks(bench: Bench, name: string, text: string): void {
  const plan = parsed(text);
  bench.add(`parse ${name}`, () => void parsed(text));
  bench.add(`check ${name}`, () => void checkPlan(plan));
  // A program lists every instruction of every rank: only what can run becomes one.
  if (plan.hardware.gpus <= 64) {
    const program = lower(plan);
    bench.add(`lower ${name}`, () => void lower(plan));
    bench.add(`estimate ${name}, of its program`, () => void estimate(program, plan));
  }
  bench.add(`estimate ${name}`, () => void estimatePlan(plan, peaks));
  bench.add(`simulate ${name}`, () => void simulateHardware(plan, peaks, 0.01));
}

test("the host's work on plans", async () => {
  const bench = new Bench({ time: 500, iterations: 3, warmupTime: 100, warmupIterations: 1 });
  for (const [name, text] of Object.entries(texts)) addTasks(bench, name, text);
  await bench.run();
  console.table(bench.table());
  expect(bench.tasks.map(({ result }) => result.state)).toEqual(bench.tasks.map(() => "completed"));
});
