// FLOPs of one sample by every convention that publishers use, and the least that any run must do.

import { blocksOf } from "../plan/blocks.ts";
import { moeLayers } from "../plan/layers.ts";
import { hasBackwardSlots } from "../plan/pipeline.ts";
import type { Plan } from "../plan/plan.ts";
import { recomputedParts } from "../plan/recomputed_parts.ts";
import type { PlanEstimate } from "../program/estimate.ts";

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

/** Of one sample, over all GPUs. */
export function sampleFlops({ plan, estimate }: Pick<Parts, "plan" | "estimate">): SampleFlops {
  const parts = partsOf(estimate);
  const { batch } = plan.workload;
  const passes = plan.workload.mode === "training" ? 3 : 1;
  const { forward, attention } = parts;
  const { hidden = 0, vocabulary = 0 } = plan.model ?? {};
  const head = 2 * batch * plan.workload.sequence * hidden * vocabulary;
  const whole = forward - attention + wholeAttention(plan);
  const again = passes === 1 ? 0 : computedAgain(plan, estimate, parts);
  return {
    model: (passes * forward) / batch,
    wholeAttention: (passes * whole) / batch,
    withoutAttention: (passes * (forward - attention)) / batch,
    perParameter: [
      (passes * Math.max(0, forward - attention - head)) / batch,
      (passes * (forward - attention + head)) / batch,
    ],
    least: (passes * leastForward(plan, parts)) / batch,
    recomputed: again / batch,
  };
}

/** As the program says it where it has backward slots; else of its blocks' forward pass, or of attention. */
function computedAgain(
  plan: Plan,
  { ranks, layers }: PlanEstimate,
  { forward, attention }: Pick<Parts, "forward" | "attention">,
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

interface Parts {
  readonly plan: Plan;
  readonly estimate: PlanEstimate;
  readonly forward: number;
  readonly attention: number;
  readonly experts: number;
}

function partsOf(estimate: PlanEstimate): Omit<Parts, "plan" | "estimate"> {
  // Sharding repeats small kernels on every rank; of these it divides the work.
  const of = (...names: string[]): number =>
    estimate.kernels
      .filter(({ kernel }) => names.some((name) => kernel.startsWith(name)))
      .reduce((sum, { flops }) => sum + flops, 0);
  return {
    forward: estimate.modelFlops,
    attention: of("attention", "attend"),
    experts: of("grouped_matmul"),
  };
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

function leastForward(
  plan: Plan,
  { forward, attention, experts }: Omit<Parts, "plan" | "estimate">,
): number {
  const { model, workload } = plan;
  let least = forward;
  // In inference only the last token's logits are needed.
  if (workload.mode === "inference" && model?.vocabulary !== undefined) {
    least -= 2 * workload.batch * (workload.sequence - 1) * model.hidden * model.vocabulary;
  }
  if (!seesWholeSequences(plan)) least -= attention;
  const [moe] = moeLayers(plan);
  if (moe?.capacityFactor !== undefined) {
    // All tokens may choose the same expert, which takes its capacity of them.
    least -= experts * (1 - Math.min(1, moe.capacityFactor / moe.experts));
  }
  return Math.max(0, least);
}

/** Windows, chunks, chosen tokens and linear forms of attention see fewer tokens. */
export function seesWholeSequences({ model, workload }: Plan): boolean {
  if (model === undefined) return true;
  const { slidingWindow, chunkedAttention, linearAttention, sparseAttention, otherFeatures } =
    model;
  return (
    slidingWindow === undefined &&
    chunkedAttention === undefined &&
    linearAttention === undefined &&
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
