// How far the projection of a plan is from a run of it: small plans that are split in every way over two ranks, each a
// core. Each is held out: it is projected from the others, by what their instructions took alone and by the roofline, and
// how far the others are from their own projections gives its interval.

import { expect, test } from "vitest";
import { createExclusiveTurns } from "../src/harness/exclusive_turns.ts";
import { openChecked, type OpenChecked } from "../src/harness/open_checked.ts";
import { median } from "../src/measure/statistics.ts";
import { normalise } from "../src/plan/normalise.ts";
import type { Plan } from "../src/plan/plan.ts";
import { type PlanFile, planSchema } from "../src/plan/schema.ts";
import { renderTable } from "../src/report/render/table.ts";
import { stepOf } from "../src/program/lower.ts";
import { timedStep } from "../src/search/timed/timed_cost.ts";
import { type ProjectedStep, projectStep } from "../src/search/projected_step.ts";
import type { MeasuredPlan } from "../src/search/step_calibration.ts";
import { describeOnAdapter, testGpu } from "../test/support/gpu.ts";

const turns = 9;
const warmUps = 2;

const base = {
  hardware: { gpus: 2 },
  workload: { batch: 8, microBatches: 2, sequence: 64 },
  model: { layers: 4, hidden: 256, heads: 8, ffn: 1024 },
} as const;
const wide = { ...base.model, hidden: 512, ffn: 2048 };
const experts = { ...base.model, layers: 2, moe: { experts: 8, topK: 2, ffn: 512 } };
const trained = {
  mode: "training",
  batch: 4,
  microBatches: 2,
  sequence: 64,
  schedule: "1f1b",
  optimizer: { name: "adamw", learningRate: 0.001 },
} as const;

/** By how their work is split. */
const plans: Readonly<Record<string, Record<string, unknown>>> = {
  "TP 2": { parallel: { tensor: 2 } },
  "TP 2, sequence": { parallel: { tensor: 2, sequence: true } },
  "TP 2, wide": { model: wide, parallel: { tensor: 2 } },
  "TP 2, gated, grouped queries": {
    model: { ...base.model, kvHeads: 2, gated: true, ffn: 704 },
    parallel: { tensor: 2 },
  },
  "PP 2": { parallel: { pipeline: 2 } },
  "PP 2, 8 micro-batches": {
    workload: { ...base.workload, microBatches: 8 },
    parallel: { pipeline: 2 },
  },
  "PP 2, interleaved": {
    workload: { ...base.workload, microBatches: 4 },
    parallel: { pipeline: 2, virtualStages: 2 },
  },
  "PP 2, with a head": {
    model: { ...base.model, vocabulary: 4096 },
    parallel: { pipeline: 2 },
  },
  "DP 2": { parallel: { data: 2 } },
  "DP 2, wide": { model: wide, parallel: { data: 2 } },
  "EP 2, DP 2": { model: experts, parallel: { data: 2, expert: 2 } },
  "EP 2, TP 2": { model: experts, parallel: { tensor: 2, expert: 2 } },
  "training, TP 2": {
    workload: trained,
    model: { ...base.model, layers: 2, vocabulary: 512 },
    parallel: { tensor: 2 },
  },
  "training, PP 2": {
    workload: trained,
    model: { ...base.model, layers: 2, vocabulary: 512 },
    parallel: { pipeline: 2 },
  },
};

/** Of the adapters' cores, about: what is wrong with it is wrong for all plans alike, and calibrated away. */
const peaks = { flops: 10e9, bandwidth: 5e9, linkBandwidth: 1.5e9 };
const overheads = { latencyMs: 0.1, launchMs: 0.08 };

describeOnAdapter("projection", () => {
  test("of each plan, by what the others reached", { timeout: 900_000 }, async () => {
    const cases = Object.entries(plans).map(([name, parts]) => {
      const file = planSchema.parse({ ...base, name, ...parts });
      return { name, file, plan: planOf(file) };
    });
    const { report } = await testGpu();
    const runs: MeasuredPlan[] = [];
    for (const { name, file, plan } of cases) {
      const open = await openChecked(plan, [report, report], { pin: true });
      try {
        const run = { file, plan, ...(await timesOf(open)) };
        // Each by itself, too: on a busy machine all of them take minutes.
        console.log(`${name}: ${run.stepMs.toFixed(2)} ms`);
        runs.push(run);
      } finally {
        await open.pool.close();
      }
    }
    const held = runs.map((run, i) => heldOut(run, runs.toSpliced(i, 1)));
    console.log(
      renderTable(
        ["plan", "measured ms", ...of.flatMap((by) => [by, "interval"])].map((title, i) =>
          i === 0 ? { title, align: "left" as const } : { title },
        ),
        cases.map(({ name }, i) => ({
          cells: [
            name,
            (runs[i]?.stepMs ?? 0).toFixed(2),
            ...of.flatMap((by) => cellsOf(held[i]?.[by])),
          ],
        })),
      ).join("\n"),
    );
    for (const by of of) {
      const errors = held.map((each) => Math.abs(each[by].projected - 1));
      const covered = held.filter((each) => holds(each[by])).length;
      console.log(
        `${by}: error median ${(100 * median(errors)).toFixed(1)} %, worst ${(100 * Math.max(...errors)).toFixed(1)} %; ` +
          `intervals hold ${covered} of ${held.length}`,
      );
      expect(covered / held.length).toBeGreaterThanOrEqual(0.8);
    }
  });
});

/** Projected ÷ measured by each way. */
const of = ["by instructions", "by roofline"] as const;

interface Held {
  readonly projected: number;
  readonly interval: readonly [low: number, high: number];
}

function planOf(file: PlanFile): Plan {
  const { plan } = normalise(file);
  if (plan === undefined) throw new Error(`${file.name} has no meaning`);
  return plan;
}

/** Steps of all ranks, in turns with each rank's own: what else the machine does meets both. */
async function timesOf({
  pool,
  program,
}: OpenChecked): Promise<Omit<MeasuredPlan, "file" | "plan">> {
  const alone = createExclusiveTurns(pool);
  for (let i = 0; i < warmUps; i++) await pool.step();
  const steps: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    steps.push((await pool.step()).wallMs);
    await alone.upTo((turn + 1) / turns);
  }
  const measured = await alone.finish();
  if (measured === undefined) throw new Error("the adapter does not time kernels one by one");
  return { stepMs: median(steps), timed: timedStep(stepOf(program), measured) };
}

function heldOut(
  run: MeasuredPlan,
  others: readonly MeasuredPlan[],
): Record<(typeof of)[number], Held> {
  const { file, plan, stepMs } = run;
  const by = (runs: readonly MeasuredPlan[]) =>
    relative(projectStep(file, plan, peaks, overheads, runs), stepMs);
  return {
    "by instructions": by(others),
    "by roofline": by(others.map(({ timed: _, ...untimed }) => untimed)),
  };
}

function relative({ stepMs: { value, range } }: ProjectedStep, measuredMs: number): Held {
  const [low, high] = range;
  return { projected: value / measuredMs, interval: [low / measuredMs, high / measuredMs] };
}

function holds({ interval: [low, high] }: Held): boolean {
  return low <= 1 && 1 <= high;
}

function cellsOf(held: Held | undefined): string[] {
  return held === undefined
    ? ["", ""]
    : [held.projected.toFixed(3), held.interval.map((end) => end.toFixed(2)).join(" … ")];
}
