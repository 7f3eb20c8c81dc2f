import { accumulate, type Kernel } from "./kernel.ts";
import { laneSums } from "./rows.ts";
import { lanesOfSums, squareSums } from "./sum_squares.ts";

export interface BeginUpdateShape {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  /** Absent: gradients are as they are. */
  readonly clipNorm?: number;
  readonly warmupSteps: number;
  /** That gradients were multiplied by. */
  readonly lossScale: number;
}

/** Words of `state`, in their order; all f32. */
export const updateState = [
  /** Updates so far. */
  "step",
  /** Of this update. */
  "learningRate",
  /** 1 − βᵗ */
  "correction1",
  "correction2",
  /** What gradients are multiplied by. */
  "multiplier",
  /** Of all gradients together, before they are clipped. */
  "norm",
  /** 1; 0 where a gradient is not finite, and nothing is updated. */
  "isFinite",
  "unused",
] as const;

/**
 * Once a step: from the sums of squares of all gradients, which are then cleared, their norm, by what they are multiplied so
 * that it is at most `clipNorm`, the learning rate and the bias corrections of AdamW's moments, into `state` f32 [8].
 */
export const beginUpdate: Kernel<BeginUpdateShape> = {
  name: "begin_update",
  bindings: [accumulate("sums"), accumulate("state")],
  prelude: laneSums,
  constants: ({ learningRate, beta1, beta2, clipNorm, warmupSteps, lossScale }, adapter) => ({
    LEARNING_RATE: learningRate,
    BETA1: beta1,
    BETA2: beta2,
    // A difference from 1 keeps more digits as a difference.
    OTHER1: 1 - beta1,
    OTHER2: 1 - beta2,
    CLIP_NORM: clipNorm ?? 0,
    WARMUP_STEPS: warmupSteps,
    INVERSE_SCALE: 1 / lossScale,
    QUADS: squareSums / 4,
    LANES: lanesOfSums(adapter),
  }),
  grid: () => [1, 1, 1],
  flops: () => squareSums,
  bytes: () => 8 * (squareSums + updateState.length),
};
