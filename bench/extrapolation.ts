// How far the step of a whole model is from what a run of one or two of its layers projects: eight small models that run
// whole. Steps of the whole model and of the scaled one take turns, so that whatever else the machine does meets both,
// and the ratio is taken within a turn; the median over turns counts.

import { expect, test } from "vitest";
import { projectWhole } from "../src/claims/projected_whole.ts";
import { summariseStep } from "../src/measure/compute_metrics.ts";
import { figureOf } from "../src/measure/figures.ts";
import { groupKernels } from "../src/measure/kernel_groups.ts";
import type { LayerMetrics } from "../src/measure/metrics.ts";
import { mean, median } from "../src/measure/statistics.ts";
import { normalise } from "../src/plan/normalise.ts";
import type { Plan } from "../src/plan/plan.ts";
import { layers } from "../src/plan/scale/layers.ts";
import { scalePlan } from "../src/plan/scale/scale_plan.ts";
import { type PlanFile, planSchema } from "../src/plan/schema.ts";
import { lower } from "../src/program/lower.ts";
import type { Program } from "../src/program/program.ts";
import type { StepTrace } from "../src/program/trace.ts";
import { renderTable } from "../src/report/render/table.ts";
import { openRanks } from "../src/runtime/coordinator.ts";
import type { RankPool } from "../src/runtime/rank_pool.ts";
import { describeOnAdapter, testGpu } from "../test/support/gpu.ts";

const turns = 7;
const stepsPerTurn = 2;
const warmUps = 2;

const base = {
  hardware: { gpus: 1 },
  workload: { batch: 4, sequence: 64 },
  model: { layers: 10, hidden: 256, heads: 8, ffn: 1024 },
} as const;

/** By what sets each apart. */
const models: Readonly<Record<string, Record<string, unknown>>> = {
  dense: {},
  "gated, grouped queries": { model: { ...base.model, kvHeads: 2, gated: true, ffn: 704 } },
  "with embedding and head": { model: { ...base.model, vocabulary: 8192 } },
  "wide, few tokens": {
    workload: { batch: 1, sequence: 32 },
    model: { ...base.model, hidden: 512, ffn: 2048 },
  },
  experts: { model: { ...base.model, moe: { experts: 8, topK: 2, ffn: 256 } } },
  "first layers dense, then experts": {
    model: { ...base.model, moe: { experts: 8, topK: 2, ffn: 256, denseLayers: [0, 1] } },
  },
  "two tensor ranks": { hardware: { gpus: 2 }, parallel: { tensor: 2 } },
  "pipeline of two, four micro-batches": {
    hardware: { gpus: 2 },
    workload: { batch: 8, microBatches: 4, sequence: 64 },
    parallel: { pipeline: 2 },
  },
};

function planOf(file: PlanFile): Plan {
  const { plan } = normalise(file);
  if (plan === undefined) throw new Error(`${file.name} has no meaning`);
  return plan;
}

interface Running {
  readonly plan: Plan;
  readonly program: Program;
  readonly pool: RankPool;
}

async function open(plan: Plan): Promise<Running> {
  const { choice } = (await testGpu()).report;
  const program = lower(plan);
  const pool = await openRanks(
    program,
    program.ranks.map(() => choice),
    {},
  );
  return { plan, program, pool };
}

async function step({ pool }: Running, count: number): Promise<StepTrace[]> {
  const traces: StepTrace[] = [];
  for (let i = 0; i < count; i += 1) traces.push(await pool.step());
  return traces;
}

function projected(whole: Plan, { plan, program }: Running, traces: readonly StepTrace[]): number {
  const groups = groupKernels(
    program,
    program.ranks.map(() => "any"),
  );
  const samples = traces.map((trace) => summariseStep(program, trace, groups));
  const figure = (values: readonly number[]) =>
    figureOf([values], "ms", { provenance: "measured", conditions: [] });
  const stepMs = figure(samples.map(({ wallMs }) => wallMs));
  if (stepMs === undefined) throw new Error("no step was taken");
  const timed = program.layers.flatMap((layer): LayerMetrics[] => {
    const own = samples.flatMap((sample) => {
      const found = sample.layers.find((each) => each.layer === layer);
      return found === undefined ? [] : [mean(found.latencyMs)];
    });
    const latencyMs = figure(own);
    return latencyMs === undefined ? [] : [{ layer, latencyMs }];
  });
  const { stepMs: found } = projectWhole(whole, plan, { stepMs, layers: timed });
  if (found === undefined) throw new Error("the adapter does not time layers one by one");
  return found.value;
}

describeOnAdapter("extrapolation", () => {
  test("the step of a whole model against what its first layers project", async () => {
    const rows: string[][] = [];
    const errors: number[] = [];
    for (const [name, change] of Object.entries(models)) {
      const file = planSchema.parse({ ...base, ...change, name });
      const small = scalePlan(file, new Map([[layers, layers.least(file)]]));
      const [whole, scaled] = [await open(planOf(file)), await open(planOf(small))];
      await step(whole, warmUps);
      await step(scaled, warmUps);
      const ratios: number[] = [];
      const wholeMs: number[] = [];
      for (let turn = 0; turn < turns; turn += 1) {
        const measured = median((await step(whole, stepsPerTurn)).map(({ wallMs }) => wallMs));
        wholeMs.push(measured);
        ratios.push(projected(whole.plan, scaled, await step(scaled, stepsPerTurn)) / measured);
      }
      await whole.pool.close();
      await scaled.pool.close();
      const error = Math.abs(median(ratios) - 1);
      errors.push(error);
      const row = [
        name,
        `${small.model?.layers} of ${file.model?.layers}`,
        median(wholeMs).toFixed(1),
        median(ratios).toFixed(3),
        `${Math.min(...ratios).toFixed(2)} … ${Math.max(...ratios).toFixed(2)}`,
        (100 * error).toFixed(1),
      ];
      // Each by itself, too: on a busy machine all of them take minutes.
      console.log(row.join("  "));
      rows.push(row);
    }
    const head = ["model", "layers", "step ms", "projected ÷ measured", "turns", "error %"];
    const lines = renderTable(
      head.map((title, i) => (i < 2 ? { title, align: "left" } : { title })),
      rows.map((cells) => ({ cells })),
    );
    const worst = 100 * Math.max(...errors);
    console.log(
      [
        ...lines,
        `median error ${(100 * median(errors)).toFixed(1)} %, worst ${worst.toFixed(1)} % (goals: 5 and 10 %)`,
      ].join("\n"),
    );
    expect(errors).toHaveLength(8);
  }, 1_800_000);
});
