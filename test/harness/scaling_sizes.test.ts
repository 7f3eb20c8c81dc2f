// The plans that a scaling run compares.

import { expect, test } from "vitest";
import { scalingSizes } from "../../src/harness/scaling_sizes.ts";
import { readPlan } from "../../src/plan/load.ts";
import type { PlanFile } from "../../src/plan/schema.ts";

async function written(file: string): Promise<PlanFile> {
  const { document } = await readPlan(`configs/${file}`);
  if (document.written === undefined) throw new Error(`${file} must load`);
  return document.written;
}

function told(file: PlanFile, sizes: readonly number[]): string[] {
  return scalingSizes(file, sizes).map((size) => {
    if ("why" in size) return `${size.kind} ${size.gpus}: ${size.why}`;
    const { kind, gpus, plan, alone } = size;
    const { tensor = 0, data = 0, expert = 0 } = plan.degrees ?? {};
    return `${kind} ${gpus}: ${tensor}·${data} e${expert}, ${plan.workload.batch} beside ${alone.workload.batch} on ${alone.hardware.gpus}`;
  });
}

test("strong keeps the batch, weak a GPU's part of it", async () => {
  expect(told(await written("training-small.yaml"), [2, 4])).toEqual([
    "strong 2: 2·1 e1, 8 beside 8 on 1",
    "strong 4: 2·2 e1, 8 beside 8 on 1",
    "weak 2: 2·1 e1, 8 beside 4 on 1",
    "weak 4: 2·2 e1, 16 beside 4 on 1",
  ]);
});

test("a batch that has no whole part for each GPU is on each as it is", async () => {
  expect(told(await written("moe-ep3-tp2.json"), [2, 3])).toEqual([
    "strong 2: 2·1 e1, 1 beside 1 on 1",
    "strong 3: 2·1 e3, 1 beside 1 on 1",
    "weak 2: 2·1 e1, 2 beside 1 on 1",
    "weak 3: 2·1 e3, 3 beside 1 on 1",
  ]);
});

test("explicit stages are on their own GPUs, or on one", async () => {
  const [two, three] = told(await written("three-stage-pipeline.json"), [2, 3]);
  expect(two).toContain("explicit stages say which of 3 GPUs does what, and nothing of 2");
  expect(three).toContain("256 beside 256 on 1");
});

/** Samples of a micro-batch, of the size and of one GPU. */
function microBatchesOf(file: PlanFile, gpus: number): string[] {
  return scalingSizes(file, [gpus]).map((size) => {
    if ("why" in size) return size.why;
    const [together, alone] = [size.plan, size.alone].map(
      ({ workload }) => workload.batch / workload.microBatches,
    );
    return `${size.kind}: ${together} beside ${alone}`;
  });
}

test("one GPU takes no smaller micro-batches than a pipeline: its part of weak scaling, fewer", async () => {
  const file = await written("smoke/pipeline-1f1b.yaml");
  const workload = { ...file.workload, batch: 8, microBatches: 4 };
  expect(microBatchesOf({ ...file, workload }, file.hardware.gpus)).toEqual([
    "strong: 2 beside 2",
    "weak: 2 beside 2",
  ]);
});

test("nor than stages that share some of their GPUs", async () => {
  expect(microBatchesOf(await written("three-stage-pipeline.json"), 3)).toEqual([
    "strong: 64 beside 64",
    "weak: 192 beside 256",
  ]);
});
