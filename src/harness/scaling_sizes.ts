// The plans that a scaling run compares: strong at the plan's batch, weak at the plan's batch per GPU.

import type { ScalingKind } from "../measure/scaling.ts";
import { normalise } from "../plan/normalise.ts";
import { pipelineOf } from "../plan/pipeline.ts";
import type { Plan } from "../plan/plan.ts";
import { redegreed } from "../plan/redegree.ts";
import type { PlanFile } from "../plan/schema.ts";
import { unshard } from "../program/unshard.ts";
import { whyUnsound } from "./unsound.ts";

/** A size, with the plan that does its work there and the one that does one GPU's. */
export type ScalingSize = { readonly kind: ScalingKind; readonly gpus: number } & (
  | { readonly plan: Plan; readonly alone: Plan }
  | { readonly why: string }
);

/** @param sizes numbers of GPUs above 1 */
export function scalingSizes(file: PlanFile, sizes: readonly number[]): ScalingSize[] {
  return (["strong", "weak"] as const).flatMap((kind) =>
    sizes.map((gpus): ScalingSize => {
      const found = planOn(withBatch(file, batchOf(file, kind, gpus)), gpus);
      if ("why" in found) return { kind, gpus, ...found };
      const { plan: whole } = normalise(aloneOf(file, kind, found.plan));
      return whole === undefined
        ? { kind, gpus, why: "one GPU's part of the batch makes no plan" }
        : { kind, gpus, plan: found.plan, alone: unshard(whole) };
    }),
  );
}

/** Weak: a GPU's part of the plan's batch, or where that is no whole number the plan's batch on each. */
function batchOf({ workload: { batch }, hardware }: PlanFile, kind: ScalingKind, gpus: number) {
  if (kind === "strong") return batch;
  return batch % hardware.gpus === 0 ? (batch / hardware.gpus) * gpus : batch * gpus;
}

/**
 * Weak: a GPU's part of a pipeline's batch in as many fewer micro-batches, so that they are no smaller than those of the
 * pipeline. Smaller ones take one GPU longer, and N GPUs would only seem efficient beside it.
 */
function aloneOf(file: PlanFile, kind: ScalingKind, plan: Plan): PlanFile {
  const stages =
    kind === "strong" ? 1 : (pipelineOf(plan)?.pipelineRanks.length ?? plan.stages.length);
  const microBatches = Math.max(1, Math.floor(plan.workload.microBatches / stages));
  return withBatch(file, batchOf(file, kind, 1), microBatches);
}

/** In so many micro-batches, or as divide both. */
function withBatch(
  file: PlanFile,
  batch: number,
  wanted = file.workload.microBatches ?? 1,
): PlanFile {
  const microBatches = commonDivisor(wanted, batch);
  return { ...file, workload: { ...file.workload, batch, microBatches } };
}

function planOn(file: PlanFile, gpus: number): { readonly plan: Plan } | { readonly why: string } {
  if (file.stages !== undefined && gpus !== file.hardware.gpus) {
    return {
      why: `explicit stages say which of ${file.hardware.gpus} GPUs does what, and nothing of ${gpus}`,
    };
  }
  let why = `degrees of ${gpus} GPUs that the plan's own allow do not exist`;
  for (const [i, candidate] of redegreed(file, gpus).entries()) {
    const { plan, diagnostics } = normalise(candidate);
    const unsound = plan === undefined ? diagnostics[0]?.message : whyUnsound(plan);
    if (plan !== undefined && unsound === undefined) return { plan };
    if (i === 0 && unsound !== undefined) why = unsound;
  }
  return { why };
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}
