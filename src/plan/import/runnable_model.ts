// What of a model our layers run: the rest of its description left out, so that the plan can be timed.

import type { ModelFile } from "../schema_model.ts";

/**
 * Sizes stay as they are.
 *
 * @param sequence tokens of each sample
 */
export function runnableModel(model: ModelFile, sequence: number): ModelFile {
  const {
    positions,
    otherMixers: _mixers,
    sparseAttention,
    otherParameters: _parameters,
    otherFeatures: _otherFeatures,
    moe,
    ...others
  } = model;
  const isOpen = positions?.kind === "learned" && positions.count === undefined;
  const isSparse = sparseAttention !== undefined && sparseAttention.topK < sequence;
  const rest = {
    ...others,
    ...(sparseAttention === undefined || isSparse ? {} : { sparseAttention }),
    ...(positions === undefined || isOpen ? {} : { positions }),
  };
  if (moe === undefined) return rest;
  const { redundantExperts: _copies, ...experts } = moe;
  return { ...rest, moe: experts };
}
