// The shape of one layer of an explicit stage, and the numbers that all parts of a plan file share.

import { z } from "zod";
import { gpuId } from "./gpu_id.ts";

/** A plan of more GPUs is a typing error, and would cost memory before any rule could say so. */
export const maxGpus = 65_536;

export const count = z.int().positive().max(0x7fffffff);

const parallel = z.strictObject({
  kind: z.enum(["column", "row", "replicated", "tensor", "data", "expert"]),
  /** Dimension of the weight [in, out] that is split: column 1, row 0. */
  splitDim: z.int().exactOptional(),
  /** The degree, where the plan states it beside the list. */
  degree: count.exactOptional(),
  gpus: z.union(
    [z.array(gpuId).min(1), z.array(z.array(gpuId).min(1)).min(1)],
    "must be a list of GPU ids, or a list of such lists, one per data replica",
  ),
  replicas: count.exactOptional(),
  /** Of a mixture of experts: the GPUs whose tokens are routed, where they are not those of `gpus`. */
  tokenGpus: z.array(gpuId).min(1).exactOptional(),
});

export const activation = z.enum(["none", "gelu", "silu", "relu"]);
const ffnActivation = z.enum(["gelu", "silu"]);

const linear = z.strictObject({
  op: z.literal("linear"),
  in: count,
  out: count,
  activation: activation.exactOptional(),
  parallel,
});

const embedding = z.strictObject({
  op: z.literal("embedding"),
  vocabulary: count,
  hidden: count,
  parallel,
});

const attention = z.strictObject({
  op: z.literal("attention"),
  hidden: count,
  heads: count,
  kvHeads: count.exactOptional(),
  headDim: count.exactOptional(),
  causal: z.boolean().exactOptional(),
  parallel,
});

const mlp = z.strictObject({
  op: z.literal("mlp"),
  hidden: count,
  ffn: count,
  activation: ffnActivation.exactOptional(),
  parallel,
});

const moe = z.strictObject({
  op: z.literal("moe"),
  hidden: count,
  ffn: count,
  activation: ffnActivation.exactOptional(),
  experts: count,
  topK: count.exactOptional(),
  capacityFactor: z.number().positive().exactOptional(),
  renormalise: z.boolean().exactOptional(),
  parallel,
});

const norm = z.strictObject({
  op: z.literal("norm"),
  hidden: count,
  norm: z.enum(["rms", "layer"]).exactOptional(),
  epsilon: z.number().positive().exactOptional(),
  parallel: parallel.exactOptional(),
});

const residual = z.strictObject({
  op: z.literal("residual"),
  hidden: count,
  from: z.int().nonnegative(),
  parallel: parallel.exactOptional(),
});

const aggregate = z.strictObject({
  op: z.literal("aggregate"),
  over: z.enum(["sequence", "batch"]).exactOptional(),
  parallel: parallel.exactOptional(),
});

export const layerSchema = z.discriminatedUnion("op", [
  linear,
  embedding,
  attention,
  mlp,
  moe,
  norm,
  residual,
  aggregate,
]);

export type LayerFile = z.infer<typeof layerSchema>;
export type ParallelFile = z.infer<typeof parallel>;
