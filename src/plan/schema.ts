// The shape of a plan file, before any meaning is given to it. Strict: unknown keys are refused.

import { z } from "zod";
import { gpuId } from "./gpu_id.ts";
import { dataSetSchema } from "./data_set.ts";
import { dtypeNames } from "./dtype_names.ts";
import { count, maxGpus } from "./schema_numbers.ts";
import { layerSchema } from "./layers/layers.ts";
import { modelSchema } from "./schema_model.ts";
import { optimizerSchema } from "./optimizer.ts";
import { degreesSchema, recomputeSchema } from "./schema_parallel.ts";
import { servingKeys } from "./serving.ts";
import { parseBandwidth, parseBytes, parseFlops } from "./quantity.ts";

function quantity(read: (text: string) => number | undefined, example: string) {
  const wanted = `must be a number greater than 0 or a quantity such as "${example}"`;
  const text = z.string().refine((written) => (read(written) ?? 0) > 0, wanted);
  return z.union([z.number().positive(), text], wanted);
}

const bytes = quantity(parseBytes, "16MiB");
const share = z.number().min(0).max(1);
const figure = z.number().nonnegative();
const efficiency = z.number().nonnegative().max(2);
const gpuIds = z.array(gpuId).min(1);

const hardware = z.strictObject({
  gpus: count.max(maxGpus),
  /** A name of docs/gpus.md, in any spelling; its datasheet gives what the plan does not. */
  gpu: z.string().min(1).exactOptional(),
  memoryPerGpu: bytes.exactOptional(),
  /** Of one buffer; weights and caches that are larger lie in several. */
  maxBinding: bytes.exactOptional(),
  peakFlops: quantity(parseFlops, "67TFLOPS").exactOptional(),
  memoryBandwidth: quantity(parseBandwidth, "3.35TB/s").exactOptional(),
  linkBandwidth: quantity(parseBandwidth, "50GB/s").exactOptional(),
});

const workload = z.strictObject({
  mode: z.enum(["inference", "training", "serving"]).exactOptional(),
  batch: count,
  microBatches: count.exactOptional(),
  sequence: count.exactOptional(),
  /** `bf16` runs as `f16`, which is as wide. */
  dtype: z.enum(dtypeNames).exactOptional(),
  seed: z.int().nonnegative().max(0xffffffff).exactOptional(),
  /** Order of a pipeline's micro-batches. */
  schedule: z.enum(["gpipe", "1f1b"]).exactOptional(),
  recompute: recomputeSchema.exactOptional(),
  optimizer: optimizerSchema.exactOptional(),
  data: dataSetSchema.exactOptional(),
  ...servingKeys,
});

const stage = z.strictObject({
  name: z.string().min(1),
  layers: z.array(layerSchema).min(1),
});

const communication = z.strictObject({
  name: z.string().min(1),
  op: z.enum(["all-gather", "all-reduce", "reduce-scatter", "all-to-all", "broadcast", "send"]),
  from: gpuIds,
  to: gpuIds,
  after: z.string().exactOptional(),
  /** Bytes of one micro-batch that it moves in all, where the plan states them. */
  payload: bytes.exactOptional(),
});

const claims = z.strictObject({
  latencyPerLayerMs: figure.exactOptional(),
  samplesPerSecond: figure.exactOptional(),
  tokensPerSecond: figure.exactOptional(),
  gpuUtilization: share.exactOptional(),
  computeUtilization: share.exactOptional(),
  hardwareFlopsUtilization: share.exactOptional(),
  memoryUtilization: share.exactOptional(),
  memoryAvailable: bytes.exactOptional(),
  strongScaling: efficiency.exactOptional(),
  weakScaling: efficiency.exactOptional(),
  expertsPerGpu: figure.exactOptional(),
  expertVariance: figure.exactOptional(),
  tensorGroupSize: count.exactOptional(),
  ttftMs: figure.exactOptional(),
  tpotMs: figure.exactOptional(),
  itlMs: figure.exactOptional(),
  requestsPerSecond: figure.exactOptional(),
  outputTokensPerSecond: figure.exactOptional(),
  tokensPerSecondPerGpu: figure.exactOptional(),
  tokensPerSecondPerUser: figure.exactOptional(),
  kvCacheBytes: bytes.exactOptional(),
});

/** `gpu_0: [modules]` per GPU, or `gpu_0_gpu_1: { part: [modules] }` per group. */
const distribution = z.record(
  z.string(),
  z.union(
    [z.array(z.string()), z.record(z.string(), z.array(z.string()))],
    "must be a list of module names, or lists of module names by part",
  ),
);

/** What the plan's source says and a plan cannot: written by importers. */
const note = z.strictObject({ code: z.string().min(1), message: z.string() });

export const planSchema = z.strictObject({
  $schema: z.string().exactOptional(),
  name: z.string().min(1),
  description: z.string().exactOptional(),
  hardware,
  workload,
  model: modelSchema.exactOptional(),
  parallel: degreesSchema.exactOptional(),
  tensor_parallel_distribution: distribution.exactOptional(),
  stages: z.array(stage).min(1).exactOptional(),
  communications: z.array(communication).exactOptional(),
  optimizations: z.array(z.string()).exactOptional(),
  claims: claims.exactOptional(),
  assumed: z.array(z.string()).exactOptional(),
  notes: z.array(note).exactOptional(),
});

/** A plan as it was written, defaults not yet filled in. */
export type PlanFile = z.infer<typeof planSchema>;
export type StageFile = z.infer<typeof stage>;
export type DistributionFile = z.infer<typeof distribution>;
