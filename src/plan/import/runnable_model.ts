// What of a model our layers run: the rest of its description left out, so that the plan can be timed.

import type { ModelFile } from "../schema_model.ts";

/** Sizes stay as they are. */
export function runnableModel(model: ModelFile): ModelFile {
  const {
    activation: _activation,
    positions,
    biases,
    postNorms: _postNorms,
    parallelResidual: _parallelResidual,
    linearAttention: _linear,
    otherParameters: _parameters,
    otherFeatures: _otherFeatures,
    moe,
    ...others
  } = model;
  const kept = biases?.filter((part) => part === "qkv" || part === "attention-output") ?? [];
  const rest = {
    ...others,
    ...(positions === undefined || positions.kind === "learned" ? {} : { positions }),
    ...(kept.length === 0 ? {} : { biases: kept }),
  };
  if (moe === undefined) return rest;
  const {
    sharedFfn: _shared,
    sharedGate: _gate,
    routingBias: _bias,
    redundantExperts: _copies,
    ...experts
  } = moe;
  return { ...rest, moe: experts };
}
