// FLOPs of one sample by every convention that publishers use, and the least that any run must do.

import { blocksOf } from "../plan/blocks.ts";
import { moeLayers } from "../plan/layers.ts";
import { hasBackwardSlots } from "../plan/pipeline.ts";
import type { Plan } from "../plan/plan.ts";
import { recomputedParts } from "../plan/recomputed_parts.ts";
import type { PlanEstimate } from "../program/estimate.ts";
import type { ForwardFlops } from "../program/unsharded_cost.ts";

export interface SampleFlops {
  /** As MFU counts: causal attention by half, backward twice the forward pass, nothing computed again. */
  readonly model: number;
  /** Causal attention counted as if every token saw the whole sequence (MLPerf, PaLM, MosaicML). */
  readonly wholeAttention: number;
  /** Attention's scores not counted at all. */
  readonly withoutAttention: number;
  /**
   * By 6 FLOPs per parameter and token (2 in inference): attention's scores not counted; the embedding, which only
   * looks rows up, counted or not, and the head as well.
   */
  readonly perParameter: readonly [least: number, most: number];
  /** No run does less: without logits that nobody reads, and without what routing or a window may leave out. */
  readonly least: number;
  /** Computed again in the backward pass, as the plan says it; 0 where it says nothing. */
  readonly recomputed: number;
}

interface SampledPlan {
  readonly plan: Plan;
  readonly estimate: PlanEstimate;
}

/** Of one sample, over all GPUs. */
export function sampleFlops({ plan, estimate }: SampledPlan): SampleFlops {
  const { all: forward, attention } = estimate.forwardFlops;
  const { batch, mode, sequence } = plan.workload;
  const passes = mode === "training" ? 3 : 1;
  const stands = passesOfProgram({ plan, estimate });
  const model = stands === 1 ? estimate.modelFlops : stands * forward;
  const { hidden = 0, vocabulary = 0 } = plan.model ?? {};
  const head = passes * 2 * batch * sequence * hidden * vocabulary;
  const withoutAttention = model - passes * attention;
  const again = passes === 1 ? 0 : computedAgain(plan, estimate);
  return {
    model: model / batch,
    wholeAttention: (withoutAttention + passes * wholeAttention(plan)) / batch,
    withoutAttention: withoutAttention / batch,
    perParameter: [Math.max(0, withoutAttention - head) / batch, (withoutAttention + head) / batch],
    least: Math.max(0, model - passes * spared(plan, estimate.forwardFlops)) / batch,
    recomputed: again / batch,
  };
}

/**
 * Forward passes that a program's FLOPs stand for: three where a step of training has no backward pass that counts, which is
 * so without an optimizer, and where something has no gradient here.
 */
export function passesOfProgram({ plan, estimate }: SampledPlan): 1 | 3 {
  const isForward = estimate.modelFlops === estimate.forwardFlops.all;
  return plan.workload.mode === "training" && isForward ? 3 : 1;
}

/** As the program says it where it has backward slots; else of its blocks' forward pass, or of attention. */
function computedAgain(
  plan: Plan,
  { ranks, layers, forwardFlops: { all: forward, attention } }: PlanEstimate,
): number {
  if (hasBackwardSlots(plan)) {
    return ranks.reduce((sum, { recomputed }) => sum + (recomputed?.flops ?? 0), 0);
  }
  const { recompute } = plan.workload;
  if (recompute?.granularity !== "full") return recompute === undefined ? 0 : attention;
  const inBlocks = new Set(blocksOf(plan).flat());
  const flopsOf = (own: PlanEstimate["layers"]): number =>
    own.reduce((sum, { flops }) => sum + flops, 0);
  const ofBlocks = flopsOf(layers.filter(({ layer }) => inBlocks.has(layer)));
  const all = flopsOf(layers);
  return all === 0 ? 0 : (forward * blocksAgain(plan) * ofBlocks) / all;
}

/** Share of the layers of its blocks that full recomputation computes again. */
export function blocksAgain(plan: Plan): number {
  const all = blocksOf(plan).flat().length;
  const again = recomputedParts(plan).flatMap(({ layers }) => layers).length;
  return all === 0 ? 1 : again / all;
}

/** Of one step, as if every token saw its whole sequence. */
function wholeAttention({ stages, workload }: Plan): number {
  const { batch, sequence } = workload;
  let flops = 0;
  for (const layer of stages.flatMap(({ layers }) => layers)) {
    if (layer.op !== "attention") continue;
    const { heads, headDim, latent } = layer;
    const widths = headDim + (latent?.rotaryDim ?? 0) + (latent?.valueDim ?? headDim);
    flops += 2 * batch * heads * sequence ** 2 * widths;
  }
  return flops;
}

/** Of a step's forward pass, what a run may leave out. */
function spared(plan: Plan, { attention, experts }: ForwardFlops): number {
  const { model, workload } = plan;
  let flops = 0;
  // In inference only the last token's logits are needed.
  if (workload.mode === "inference" && model?.vocabulary !== undefined) {
    flops += 2 * workload.batch * (workload.sequence - 1) * model.hidden * model.vocabulary;
  }
  if (!seesWholeSequences(plan)) flops += attention;
  const [moe] = moeLayers(plan);
  if (moe?.capacityFactor !== undefined) {
    // All tokens may choose the same expert, which takes its capacity of them.
    flops += experts * (1 - Math.min(1, moe.capacityFactor / moe.experts));
  }
  return flops;
}

/** Windows, chunks, chosen tokens and linear forms of attention see fewer tokens. */
export function seesWholeSequences({ model, workload }: Plan): boolean {
  if (model === undefined) return true;
  const { slidingWindow, chunkedAttention, otherMixers, sparseAttention, otherFeatures } = model;
  return (
    slidingWindow === undefined &&
    chunkedAttention === undefined &&
    otherMixers === undefined &&
    (sparseAttention === undefined || sparseAttention.topK >= workload.sequence) &&
    (otherFeatures ?? []).length === 0
  );
}

/** What the FLOPs of a sample lean on. */
export const flopsPaths: readonly string[] = [
  "model",
  "stages",
  "workload.sequence",
  "workload.mode",
];
