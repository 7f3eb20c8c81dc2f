// What computing activations again is worth, theory beside what is allocated and measured: three models, each with all
// activations kept, with those of attention computed again, and with those of whole blocks. One rank; all three take turns.
// Numbers are checked against the reference first. SHARDBENCH_STEPS_ROUNDS sets how often; default 5.

import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { sampleFlops } from "../src/claims/flops.ts";
import { openChecked, type OpenChecked } from "../src/harness/open_checked.ts";
import type { Plan } from "../src/plan/plan.ts";
import { estimatePlan } from "../src/program/estimate.ts";
import { renderTable } from "../src/report/render/table.ts";
import { describeOnAdapter, testGpu } from "../test/support/gpu.ts";
import { planOf } from "../test/support/written_plan.ts";
import { conditionsOf, writeResults } from "./results.ts";
import { cpuRatio, stepSample, type StepSample } from "./step_samples.ts";

const rounds = Number(process.env["SHARDBENCH_STEPS_ROUNDS"] ?? 5);
const folder = process.env["SHARDBENCH_BENCH_OUT"];
const vocabulary = 256;
const layers = 4;
const hidden = 128;

const ways = ["none", "selective", "full"] as const;
type Way = (typeof ways)[number];

interface Shape {
  readonly sequence: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly ffn: number;
  readonly gated: boolean;
}

const models: Readonly<Record<string, Shape>> = {
  "GPT, ffn of 4 × hidden": { sequence: 128, heads: 4, kvHeads: 4, ffn: 512, gated: false },
  "gated, grouped queries": { sequence: 128, heads: 4, kvHeads: 2, ffn: 352, gated: true },
  "GPT, sequences of 512": { sequence: 512, heads: 4, kvHeads: 4, ffn: 512, gated: false },
};

function planWith({ sequence, heads, kvHeads, ffn, gated }: Shape, way: Way): Plan {
  const recompute =
    way === "none"
      ? ""
      : way === "selective"
        ? "recompute: { granularity: selective }"
        : "recompute: { granularity: full, method: uniform, layers: 1 }";
  return planOf(`
name: recompute
hardware: { gpus: 1 }
workload:
  mode: training
  batch: 1
  microBatches: 1
  sequence: ${sequence}
  optimizer: { name: adamw, learningRate: 0.001 }
  ${recompute}
model: { layers: ${layers}, hidden: ${hidden}, heads: ${heads}, kvHeads: ${kvHeads}, ffn: ${ffn}, gated: ${gated},
  vocabulary: ${vocabulary}, causal: true }
parallel: {}
`);
}

/**
 * Bytes that all blocks keep until their backward pass, by Korthikanti et al. 2022 without dropout and with fused
 * attention, which keeps no scores: per token both norms' inputs and outputs; queries, keys, values and what attention gives;
 * and what the products of the MLP give, before and after the activation. Of a block that is computed again, its input.
 * Selective recomputation is that of what attention keeps between its products, which fused attention computes again anyway.
 */
function keptInTheory({ sequence, heads, kvHeads, ffn, gated }: Shape, way: Way): number {
  const headDim = hidden / heads;
  const attention = headDim * (2 * heads + 2 * kvHeads);
  const whole = 4 * hidden + attention + (gated ? 3 : 2) * ffn;
  return 4 * layers * sequence * (way === "full" ? hidden : whole);
}

interface Taken {
  readonly model: string;
  readonly way: Way;
  readonly keptInTheory: number;
  /** Bytes of buffers of activations, as allocated. */
  readonly activations: number;
  readonly workspace: number;
  /** Model FLOPs and recomputed ones over model FLOPs. */
  readonly flops: number;
  readonly samples: readonly StepSample[];
}

function flopsInTheory(plan: Plan): number {
  const { model, recomputed } = sampleFlops({ plan, estimate: estimatePlan(plan) });
  return (model + recomputed) / model;
}

async function allocationOf(plan: Plan, { pool }: OpenChecked) {
  const [rank] = estimatePlan(plan).ranks;
  const byRole = rank?.memoryByRole ?? {};
  const sum = Object.values(byRole).reduce((total, bytes) => total + bytes, 0);
  // What the roles add up to is what was allocated.
  expect(pool.allocatedBytes[0]).toBe(sum);
  return { activations: byRole.activation ?? 0, workspace: byRole.workspace ?? 0 };
}

describeOnAdapter("recomputation", () => {
  const all: Taken[] = [];

  test.each(Object.entries(models))("%s", async (model, shape) => {
    const { report } = await testGpu();
    const opened: { way: Way; plan: Plan; own: OpenChecked; samples: StepSample[] }[] = [];
    try {
      for (const way of ways) {
        const plan = planWith(shape, way);
        opened.push({ way, plan, own: await openChecked(plan, [report], {}), samples: [] });
      }
      for (const { own } of opened) await stepSample(own.pool);
      for (let round = 0; round < rounds; round += 1) {
        for (const { own, samples } of opened) samples.push(await stepSample(own.pool));
      }
      for (const { way, plan, own, samples } of opened) {
        all.push({
          model,
          way,
          keptInTheory: keptInTheory(shape, way),
          ...(await allocationOf(plan, own)),
          flops: flopsInTheory(plan),
          samples,
        });
      }
      const kept = all.filter((each) => each.model === model).map((each) => each.activations);
      expect(kept[2]).toBeLessThan(kept[0] ?? 0);
    } finally {
      for (const { own } of opened) await own.pool.close();
    }
  });

  afterAll(async () => {
    const { report } = await testGpu();
    const text = [
      `Activations in bytes; CPU time of the process that computes, medians of ratios within ${rounds} rounds, in which all take turns.`,
      `f32, one rank, ${layers} layers, hidden ${hidden}, batch 1, vocabulary ${vocabulary}; AdamW; untuned.`,
      "kept, theory: what all blocks keep until their backward pass. allocated: all activations of the program, also those that",
      "are in use within one block. step, theory: model and recomputed FLOPs over model FLOPs.",
      "",
      ...tableOf(all),
    ].join("\n");
    console.log(`\nrecomputation on ${report.choice.id}\n${text}\n`);
    if (folder === undefined) return;
    const path = join(folder, `recompute-${report.choice.id}`);
    await writeResults(path, "recompute", await conditionsOf(report), text, { figures: all });
  });
});

function tableOf(all: readonly Taken[]): string[] {
  const inKb = (bytes: number): string => `${(bytes / 1000).toFixed(0)} kB`;
  return renderTable(
    [
      { title: "model", align: "left" },
      { title: "computed again", align: "left" },
      { title: "kept, theory" },
      { title: "allocated" },
      { title: "workspace" },
      { title: "step, theory" },
      { title: "measured" },
    ],
    all.map(({ model, way, keptInTheory: kept, activations, workspace, flops, samples }) => {
      const none = all.find((each) => each.model === model && each.way === "none");
      return {
        cells: [
          model,
          way,
          inKb(kept),
          inKb(activations),
          inKb(workspace),
          flops.toFixed(2),
          cpuRatio(samples, none?.samples ?? []).toFixed(2),
        ],
      };
    }),
  );
}
