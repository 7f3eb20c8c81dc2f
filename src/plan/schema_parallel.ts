// The shape of what a plan says about parallelism: degrees, and recomputation.

import { z } from "zod";
import { gpuId } from "./gpu_id.ts";
import { count, maxGpus } from "./schema_numbers.ts";

const degree = count.max(maxGpus);
const gpuIds = z.array(gpuId).min(1);

export const degreesSchema = z.strictObject({
  tensor: degree.exactOptional(),
  pipeline: degree.exactOptional(),
  data: degree.exactOptional(),
  expert: degree.exactOptional(),
  /** Ranks that hold slices of the same experts. */
  expertTensor: degree.exactOptional(),
  /** ZeRO stage: 3 is FSDP. */
  zero: z.literal([0, 1, 2, 3]).exactOptional(),
  /** Data ranks that share one copy of what ZeRO shards (HSDP); the other data ranks hold copies. */
  dataShard: degree.exactOptional(),
  /** Ranks that share each sequence. */
  context: degree.exactOptional(),
  /** Norms and residuals are split over the tensor group, along the sequence. */
  sequence: z.boolean().exactOptional(),
  /** Chunks of layers per pipeline rank, interleaved. */
  virtualStages: count.max(10_000).exactOptional(),
  /** Layers of each pipeline rank, where they are not the same number. */
  layersPerStage: z.array(count.max(10_000)).min(1).max(10_000).exactOptional(),
  /** The vocabulary is padded to a multiple of it that tensor divides. */
  vocabularyMultiple: count.max(1_048_576).exactOptional(),
  tensorGroup: gpuIds.exactOptional(),
  expertGroup: gpuIds.exactOptional(),
});

export const recomputeSchema = z.strictObject({
  granularity: z.enum(["full", "selective"]),
  method: z.enum(["uniform", "block"]).exactOptional(),
  layers: count.max(10_000).exactOptional(),
});
