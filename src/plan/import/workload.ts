// The plan's workload from what the sources say of batches; what they do not say is assumed.

import type { Diagnostic } from "../diagnostic.ts";
import type { PlanFile } from "../schema.ts";
import { type ImportedWorkload, importNote } from "./note.ts";

/** Long enough to be work, short enough to run. */
const assumedSequence = 1024;

export interface WorkloadResult {
  readonly workload: PlanFile["workload"];
  readonly assumed: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

export function workloadFrom(given: ImportedWorkload, data: number): WorkloadResult {
  const { mode = "inference", microBatch, accumulation, batchPerReplica, dtype, sequence } = given;
  const diagnostics: Diagnostic[] = [];
  const perStep = (microBatch ?? 1) * data;
  const followed =
    microBatch === undefined && accumulation === undefined
      ? undefined
      : perStep * (accumulation ?? 1);
  const ofServer = batchPerReplica === undefined ? undefined : batchPerReplica * data;
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
  return {
    workload: {
      mode,
      batch,
      ...(divides && parts > 1 ? { microBatches: parts } : {}),
      sequence: sequence ?? Math.min(assumedSequence, maxSequence),
      dtype: dtype ?? "f32",
      ...(given.recompute === undefined ? {} : { recompute: given.recompute }),
    },
    assumed: [
      ...(given.batch === undefined && followed === undefined && ofServer === undefined
        ? ["workload.batch"]
        : []),
      ...(sequence === undefined ? ["workload.sequence"] : []),
      ...(dtype === undefined ? ["workload.dtype"] : []),
    ],
    diagnostics,
  };
}
