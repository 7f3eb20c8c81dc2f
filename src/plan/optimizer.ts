// What a plan says about the optimizer of a training step. A plan that names one runs whole steps: forward, backward and
// update.

import { z } from "zod";
import type { Precision } from "./plan.ts";
import { count } from "./schema_numbers.ts";

export interface Optimizer {
  /** AdamW: Loshchilov and Hutter 2019. SGD with momentum as PyTorch has it. */
  readonly name: "adamw" | "sgd";
  readonly learningRate: number;
  /** Decay rates of AdamW's moments. */
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Decoupled from the gradient, of matrices only. */
  readonly weightDecay: number;
  /** Of SGD. */
  readonly momentum: number;
  /** Largest norm of all gradients together. Absent: gradients are as they are. */
  readonly clipNorm?: number;
  /** Steps over which the learning rate grows linearly to its full size. */
  readonly warmupSteps: number;
  /** Gradients are multiplied by it until the update, so that few are too small for f16. */
  readonly lossScale: number;
}

const rate = z.number().nonnegative();
const decay = z.number().min(0).lt(1);

export const optimizerSchema = z.strictObject({
  name: z.enum(["adamw", "sgd"]),
  learningRate: rate.exactOptional(),
  betas: z.tuple([decay, decay]).exactOptional(),
  epsilon: z.number().positive().exactOptional(),
  weightDecay: rate.exactOptional(),
  momentum: decay.exactOptional(),
  clipNorm: z.number().positive().exactOptional(),
  warmupSteps: count.exactOptional(),
  lossScale: z.number().positive().exactOptional(),
});

/** Defaults as in Megatron-LM and PyTorch. @param tokens of the batch, over which the loss is a mean */
export function optimizerOf(
  file: z.infer<typeof optimizerSchema>,
  dtype: Precision,
  tokens: number,
): Optimizer {
  const { name, betas: [beta1, beta2] = [0.9, 0.95], clipNorm } = file;
  const isAdam = name === "adamw";
  return {
    name,
    learningRate: file.learningRate ?? (isAdam ? 1e-3 : 1e-2),
    beta1,
    beta2,
    epsilon: file.epsilon ?? 1e-8,
    weightDecay: file.weightDecay ?? (isAdam ? 0.1 : 0),
    momentum: file.momentum ?? (isAdam ? 0 : 0.9),
    ...(clipNorm === undefined ? {} : { clipNorm }),
    warmupSteps: file.warmupSteps ?? 0,
    // A gradient of a token's logits is about 1 / tokens.
    lossScale: file.lossScale ?? (dtype === "f16" ? 2 ** Math.round(Math.log2(tokens)) : 1),
  };
}
