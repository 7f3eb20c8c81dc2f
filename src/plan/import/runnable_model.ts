// What of a model our layers run: the rest of its description left out, so that the plan can be timed.

import type { ModelFile } from "../schema_model.ts";

/** Sizes stay as they are. */
export function runnableModel(model: ModelFile): ModelFile {
  const {
    positions,
    linearAttention: _linear,
    otherParameters: _parameters,
    otherFeatures: _otherFeatures,
    moe,
    ...others
  } = model;
  const isOpen = positions?.kind === "learned" && positions.count === undefined;
  const rest = {
    ...others,
    ...(positions === undefined || isOpen ? {} : { positions }),
  };
  if (moe === undefined) return rest;
  const { redundantExperts: _copies, ...experts } = moe;
  return { ...rest, moe: experts };
}
