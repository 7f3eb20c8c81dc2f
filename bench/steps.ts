// What a training step costs: beside the forward pass alone, which is the same plan without an optimizer, and beside the
// same step in jax-js on the same adapter, where that is installed. One rank; all three take turns. Numbers are checked
// against the reference first, and the peer's losses against ours. SHARDBENCH_STEPS_ROUNDS sets how often; default 5.

import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openChecked } from "../src/harness/open_checked.ts";
import { lossShown } from "../src/harness/verify_training.ts";
import { median } from "../src/measure/statistics.ts";
import type { Optimizer } from "../src/plan/optimizer.ts";
import type { Plan } from "../src/plan/plan.ts";
import { renderTable } from "../src/report/render/table.ts";
import { describeOnAdapter, testGpu } from "../test/support/gpu.ts";
import { planOf } from "../test/support/written_plan.ts";
import {
  type AdamwRules,
  findJaxJs,
  initialState,
  jaxJsPackage,
  streamOf,
  trainingStep,
} from "../test/peer/jax_js_training.ts";
import { provideNavigator } from "./peers/shared_dawn.ts";
import { conditionsOf, writeResults } from "./results.ts";
import { cpuRatio, stepSample, type StepSample } from "./step_samples.ts";

const rounds = Number(process.env["SHARDBENCH_STEPS_ROUNDS"] ?? 5);
const folder = process.env["SHARDBENCH_BENCH_OUT"];
const vocabulary = 1024;
/** Of the peer's loss; both are f32. */
const allowedDifference = 1e-4;

const models = {
  "dense, 4 layers": "layers: 4, heads: 4, ffn: 1024",
  "gated, grouped queries, 4 layers":
    "layers: 4, heads: 4, kvHeads: 2, ffn: 704, gated: true, norm: rms, positions: { kind: rotary }",
  "4 experts, 2 a token, 2 layers":
    "layers: 2, heads: 4, gated: true, norm: rms, moe: { experts: 4, topK: 2, ffn: 512, renormalise: true }",
};

function trained(model: string): Plan {
  return planOf(`
name: steps
hardware: { gpus: 1 }
workload:
  mode: training
  batch: 1
  microBatches: 1
  sequence: 128
  optimizer: { name: adamw, learningRate: 0.001, weightDecay: 0, clipNorm: 1 }
model: { hidden: 256, vocabulary: ${vocabulary}, causal: true, ${model} }
parallel: {}
`);
}

/** The same layers and tokens. */
function forwardOf({ workload, ...rest }: Plan): Plan {
  const { optimizer: _, ...kept } = workload;
  return { ...rest, workload: { ...kept, mode: "inference" } };
}

interface Runner {
  take(): Promise<StepSample>;
  /** Of its first two steps. */
  readonly losses: readonly number[];
  close(): Promise<void>;
}

async function ours(plan: Plan): Promise<Runner> {
  const { report } = await testGpu();
  const { pool, program } = await openChecked(plan, [report], {});
  const losses: number[] = [];
  if (plan.workload.optimizer !== undefined) {
    for (const isContinued of [false, true]) {
      const shown = await pool.observe({ only: "update", isContinued });
      losses.push(
        lossShown(
          plan,
          program,
          shown.flatMap(({ observed }) => observed),
        ),
      );
    }
  }
  return {
    losses,
    take: async () => stepSample(pool),
    close: async () => pool.close(),
  };
}

function rulesOf({ clipNorm, ...rules }: Optimizer): AdamwRules {
  if (clipNorm === undefined) throw new Error("gradients are clipped here");
  return { ...rules, clipNorm };
}

const peersDevice = testGpu().then(async ({ report }) => {
  await provideNavigator(report.choice);
  return findJaxJs("webgpu");
});

/** In this process, which does nothing else meanwhile. */
async function jaxJs(plan: Plan): Promise<Runner | undefined> {
  const jax = await peersDevice;
  const { optimizer } = plan.workload;
  if (jax === undefined || optimizer === undefined) return undefined;
  const step = trainingStep(jax, plan, streamOf(plan, vocabulary), rulesOf(optimizer));
  let state = initialState(jax, plan);
  let count = 0;
  const take = async () => {
    const cpuBefore = process.cpuUsage();
    const before = performance.now();
    count += 1;
    const taken = step(state, count);
    ({ state } = taken);
    const [loss = Number.NaN] = await taken.loss.data();
    taken.norm.dispose();
    await jax.blockUntilReady(Object.values(state.weights));
    await jax.getWebGPUDevice().queue.onSubmittedWorkDone();
    const { user, system } = process.cpuUsage(cpuBefore);
    return { loss, wallMs: performance.now() - before, cpuMs: (user + system) / 1000 };
  };
  return {
    losses: [(await take()).loss, (await take()).loss],
    take,
    close: async () => {
      const { weights, first, second } = state;
      for (const arrays of [weights, first, second]) {
        for (const one of Object.values(arrays)) one.dispose();
      }
    },
  };
}

interface Taken {
  readonly model: string;
  readonly forward: readonly StepSample[];
  readonly step: readonly StepSample[];
  readonly jaxJs?: readonly StepSample[];
}

function tableOf(all: readonly Taken[]): string[] {
  const ms = (samples: readonly StepSample[]): string =>
    median(samples.map(({ cpuMs }) => cpuMs)).toFixed(0);
  return renderTable(
    [
      { title: "model", align: "left" },
      { title: "forward ms" },
      { title: "step ms" },
      { title: "step ÷ forward" },
      { title: "jax-js ms" },
      { title: "÷ step" },
    ],
    all.map(({ model, forward, step, jaxJs: peer }) => ({
      cells: [
        model,
        ms(forward),
        ms(step),
        cpuRatio(step, forward).toFixed(2),
        peer === undefined ? "–" : ms(peer),
        peer === undefined ? "–" : cpuRatio(peer, step).toFixed(2),
      ],
    })),
  );
}

describeOnAdapter("training steps", () => {
  const all: Taken[] = [];

  test.each(Object.entries(models))("%s", async (model, fields) => {
    const plan = trained(fields);
    const runners = { forward: await ours(forwardOf(plan)), step: await ours(plan) };
    const peer = await jaxJs(plan);
    try {
      for (const [i, loss] of (peer?.losses ?? []).entries()) {
        const own = runners.step.losses[i] ?? Number.NaN;
        expect(Math.abs(own / loss - 1)).toBeLessThan(allowedDifference);
      }
      // Whatever is done once.
      for (const runner of Object.values(runners)) await runner.take();
      const taken = {
        forward: [] as StepSample[],
        step: [] as StepSample[],
        peer: [] as StepSample[],
      };
      for (let round = 0; round < rounds; round += 1) {
        taken.forward.push(await runners.forward.take());
        taken.step.push(await runners.step.take());
        if (peer !== undefined) taken.peer.push(await peer.take());
      }
      const { forward, step } = taken;
      all.push({ model, forward, step, ...(peer === undefined ? {} : { jaxJs: taken.peer }) });
      expect(cpuRatio(step, forward)).toBeGreaterThan(1);
    } finally {
      await runners.forward.close();
      await runners.step.close();
      await peer?.close();
    }
  });

  afterAll(async () => {
    const { report } = await testGpu();
    const text = [
      `CPU time of the process that computes, medians of ${rounds} rounds, in which all take turns; ratios within rounds.`,
      `f32, one rank, hidden 256, sequence 128, vocabulary ${vocabulary}; AdamW, clipped by the norm of all gradients; untuned.`,
      "jax-js is jit-compiled and computes all experts for every token.",
      "",
      ...tableOf(all),
    ].join("\n");
    console.log(`\nsteps on ${report.choice.id}\n${text}\n`);
    if (folder === undefined) return;
    const hasPeer = (await peersDevice) !== undefined;
    const conditions = await conditionsOf(report, hasPeer ? { "jax-js": jaxJsPackage } : {});
    const path = join(folder, `steps-${report.choice.id}`);
    await writeResults(path, "steps", conditions, text, { figures: all });
  });
});
