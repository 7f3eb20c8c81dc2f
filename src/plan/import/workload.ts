// The plan's workload from what the sources say of batches; what they do not say is assumed.

import type { Diagnostic } from "../diagnostic.ts";
import type { PlanFile } from "../schema.ts";
import { type ImportedWorkload, importNote } from "./note.ts";
import { type RequestLengths, servingWorkload } from "./serving_workload.ts";

/** Long enough to be work, short enough to run. */
const assumedSequence = 1024;

export interface WorkloadResult {
  readonly workload: PlanFile["workload"];
  readonly assumed: readonly string[];
  /** Codes of findings that the plan has words for. */
  readonly expressed: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

export function workloadFrom(
  given: ImportedWorkload,
  data: number,
  lengths: RequestLengths = {},
): WorkloadResult {
  const { mode = "inference", accumulation, batchPerReplica, dtype, sequence } = given;
  const microBatch =
    given.microBatch ?? (given.batch === undefined ? given.defaultMicroBatch : undefined);
  const diagnostics: Diagnostic[] = [];
  const perStep = (microBatch ?? 1) * data;
  const followed =
    microBatch === undefined && accumulation === undefined
      ? undefined
      : perStep * (accumulation ?? 1);
  const limits = [
    ...(batchPerReplica === undefined ? [] : [batchPerReplica * data]),
    ...(given.serving?.concurrency === undefined ? [] : [given.serving.concurrency]),
  ];
  const ofServer = limits.length === 0 ? undefined : Math.min(...limits);
  const batch = given.batch ?? followed ?? ofServer ?? data;
  const parts = accumulation ?? (microBatch === undefined ? 1 : batch / perStep);
  const divides = Number.isInteger(parts) && parts > 0 && batch % parts === 0;
  const agrees = microBatch === undefined || perStep * parts === batch;
  if (!divides || !agrees) {
    const sizes = [
      ...(microBatch === undefined ? [] : [`micro-batch ${microBatch}`]),
      ...(accumulation === undefined ? [] : [`accumulation ${accumulation}`]),
      `data ${data}`,
    ].join(" × ");
    diagnostics.push(
      importNote(
        "error",
        "batch-contradicts",
        `a batch of ${batch} does not follow from ${sizes}`,
        { path: ["batch"] },
        "mend one of them, or give the number of ranks",
      ),
    );
  }
  const { maxSequence = assumedSequence } = given;
  const served = servingWorkload(given, lengths);
  const isAssumed = {
    // What accumulates leans on a micro-batch that nobody gave.
    batch:
      given.batch === undefined &&
      given.microBatch === undefined &&
      (microBatch !== undefined || accumulation !== undefined || ofServer === undefined),
    sequence: served === undefined && sequence === undefined,
    dtype: dtype === undefined,
  };
  diagnostics.push(...(served?.diagnostics ?? []));
  return {
    workload: {
      mode: served === undefined ? mode : "serving",
      batch,
      ...(divides && parts > 1 ? { microBatches: parts } : {}),
      ...(served?.keys ?? { sequence: sequence ?? Math.min(assumedSequence, maxSequence) }),
      dtype: dtype ?? "f32",
      ...(given.recompute === undefined ? {} : { recompute: given.recompute }),
    },
    assumed: (["batch", "sequence", "dtype"] as const)
      .filter((key) => isAssumed[key])
      .map((key) => `workload.${key}`),
    expressed: served === undefined ? [] : (given.serving?.expressed ?? []),
    diagnostics,
  };
}
