// A smaller batch: fewer micro-batches of the same size first, which leaves every kernel as it is; then fewer samples in
// each, and shorter ones.

import { parseBytes } from "../quantity.ts";
import type { PlanFile } from "../schema.ts";
import { degreesOf } from "../stages_from_degrees.ts";
import { type Dimension, multipleDown } from "./dimension.ts";

/** Tokens of a micro-batch in a replica: with fewer, products would be those of decoding, by other kernels. */
const leastRows = 32;

export const microBatches: Dimension = {
  name: "micro-batches",
  full: ({ workload: { batch, microBatches: parts = 1 } }) =>
    parts > 1 && batch % parts === 0 ? parts : undefined,
  least: (file) => roundOf(file),
  reduce(file, size) {
    const { batch, microBatches: parts = 1 } = file.workload;
    if (size >= parts) return file;
    const kept = multipleDown(size, roundOf(file));
    return withWorkload(file, { batch: (batch / parts) * kept, microBatches: kept });
  },
};

/** With interleaved stages micro-batches come in rounds of as many as there are pipeline ranks. */
function roundOf(file: PlanFile): number {
  const { pipeline, virtualStages = 1 } = degreesOf(file);
  const { microBatches: parts = 1 } = file.workload;
  return virtualStages > 1 && parts % pipeline === 0 ? pipeline : 1;
}

export const samples: Dimension = {
  name: "samples per micro-batch",
  full: ({ workload: { batch, microBatches: parts = 1 } }) =>
    batch % parts === 0 ? batch / parts : undefined,
  least(file) {
    const { sequence: tokens = 1, mode } = file.workload;
    // Steps that decode have a token of each request.
    const replica = mode === "serving" ? 1 : Math.ceil(leastRows / tokens);
    const each = replica * degreesOf(file).data;
    return Math.min(each, samples.full(file) ?? 1);
  },
  reduce(file, size) {
    const { batch, microBatches: parts = 1 } = file.workload;
    if (size >= batch / parts) return file;
    const each = multipleDown(size, degreesOf(file).data);
    return withPayloads(withWorkload(file, { batch: each * parts }), (each * parts) / batch);
  },
  changesLayers: "micro-batches are smaller",
};

export const sequence: Dimension = {
  name: "sequence",
  full: ({ workload }) => ((workload.sequence ?? 1) > 1 ? workload.sequence : undefined),
  least(file) {
    const { batch, sequence: tokens = 1, microBatches: parts = 1 } = file.workload;
    const sampleCount = Math.max(1, batch / parts / degreesOf(file).data);
    const unit = tokensTogether(file);
    return Math.min(tokens, Math.ceil(leastRows / sampleCount / unit) * unit);
  },
  reduce(file, size) {
    const { sequence: tokens = 1 } = file.workload;
    if (size >= tokens) return file;
    const kept = multipleDown(size, tokensTogether(file));
    return withPayloads(withWorkload(file, { sequence: kept }), kept / tokens);
  },
  changesLayers: "sequences are shorter",
};

/** Ranks that share the tokens of a sequence have as many each. */
function tokensTogether(file: PlanFile): number {
  const { tensor, context = 1, sequence: isSplit = false } = degreesOf(file);
  return context * (isSplit ? tensor : 1);
}

function withWorkload(file: PlanFile, change: Partial<PlanFile["workload"]>): PlanFile {
  return { ...file, workload: { ...file.workload, ...change } };
}

/** Bytes that the plan states of a micro-batch go with its tokens. */
function withPayloads(file: PlanFile, share: number): PlanFile {
  const { communications } = file;
  if (communications === undefined) return file;
  return {
    ...file,
    communications: communications.map((each) => {
      const { payload } = each;
      const bytes = typeof payload === "string" ? parseBytes(payload) : payload;
      return bytes === undefined ? each : { ...each, payload: bytes * share };
    }),
  };
}
