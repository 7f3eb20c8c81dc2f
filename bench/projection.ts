// How far the projection of a plan by figures of its hardware is from a run of it: small plans that are split in every
// way over two ranks. Each is held out: the others' ratios, measured to roofline, center its projection and give its
// interval.

import { expect, test } from "vitest";
import { openChecked, type OpenChecked } from "../src/harness/open_checked.ts";
import { predictionInterval } from "../src/measure/prediction_interval.ts";
import { median } from "../src/measure/statistics.ts";
import { normalise } from "../src/plan/normalise.ts";
import type { Plan } from "../src/plan/plan.ts";
import { type PlanFile, planSchema } from "../src/plan/schema.ts";
import { renderTable } from "../src/report/render/table.ts";
import { atRoofline } from "../src/search/projected_step.ts";
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
    const steps: number[][] = [];
    for (const { name, plan } of cases) {
      const open = await openChecked(plan, [report, report], { pin: true });
      try {
        const own = await stepsOf(open);
        // Each by itself, too: on a busy machine all of them take minutes.
        console.log(`${name}: ${median(own).toFixed(2)} ms`);
        steps.push(own);
      } finally {
        await open.pool.close();
      }
    }
    const ratios = cases.map(
      ({ file, plan }, i) =>
        median(steps[i] ?? []) / atRoofline(file, plan, peaks, overheads).stepMs,
    );
    const held = ratios.map((ratio, i) => heldOut(ratio, ratios.toSpliced(i, 1)));
    console.log(
      renderTable(
        ["plan", "measured ms", "÷ roofline", "projected ÷ measured", "interval ÷ measured"].map(
          (title, i) => (i === 0 ? { title, align: "left" as const } : { title }),
        ),
        cases.map(({ name }, i) => ({
          cells: [
            name,
            median(steps[i] ?? []).toFixed(2),
            (ratios[i] ?? 0).toFixed(2),
            (held[i]?.projected ?? 0).toFixed(3),
            held[i]?.interval.map((end) => end.toFixed(2)).join(" … ") ?? "",
          ],
        })),
      ).join("\n"),
    );
    const errors = held.map(({ projected }) => Math.abs(projected - 1));
    const covered = held.filter(({ interval: [low, high] }) => low <= 1 && 1 <= high).length;
    console.log(
      `error: median ${(100 * median(errors)).toFixed(1)} %, worst ${(100 * Math.max(...errors)).toFixed(1)} %; ` +
        `intervals hold ${covered} of ${held.length}`,
    );
    expect(covered / held.length).toBeGreaterThanOrEqual(0.8);
  });
});

function planOf(file: PlanFile): Plan {
  const { plan } = normalise(file);
  if (plan === undefined) throw new Error(`${file.name} has no meaning`);
  return plan;
}

async function stepsOf({ pool }: OpenChecked): Promise<number[]> {
  for (let i = 0; i < warmUps; i++) await pool.step();
  const steps: number[] = [];
  for (let turn = 0; turn < turns; turn++) steps.push((await pool.step()).wallMs);
  return steps;
}

/** Relative to what was measured. */
function heldOut(ratio: number, others: readonly number[]) {
  const found = predictionInterval(others);
  if (found === undefined) throw new Error("too few plans");
  const [low, high] = found.interval;
  return {
    projected: found.center / ratio,
    interval: [low / ratio, high / ratio] as const,
  };
}
