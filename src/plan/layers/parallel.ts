// Who runs a layer of an explicit stage, as its plan says it.

import { z } from "zod";
import { gpuId } from "../gpu_id.ts";
import type { Groups, LinearSplit } from "../groups.ts";
import { count } from "../schema_numbers.ts";

export const parallel = z.strictObject({
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

export type ParallelFile = z.infer<typeof parallel>;

/** The replica groups of a layer: a list of lists as it is, a flat list cut into `replicas` parts. */
export function groupsOf({ gpus, kind, replicas }: ParallelFile): Groups {
  if (isGrouped(gpus)) return gpus;
  const parts = replicas ?? (kind === "data" ? gpus.length : 1);
  const size = Math.max(1, Math.floor(gpus.length / parts));
  const groups = Math.max(1, Math.min(parts, gpus.length));
  return Array.from({ length: groups }, (_, i) =>
    gpus.slice(i * size, i === groups - 1 ? undefined : (i + 1) * size),
  );
}

export function isGrouped(gpus: ParallelFile["gpus"]): gpus is number[][] {
  return Array.isArray(gpus[0]);
}

export function splitOf({ kind }: ParallelFile): LinearSplit {
  return kind === "column" || kind === "row" ? kind : "replicated";
}
