// What of a model our layers run: the rest of its description left out, so that the plan can be timed.

import type { ModelFile } from "../schema_model.ts";

/** Sizes stay as they are; a head of latent attention keeps its part without positions. */
export function runnableModel(model: ModelFile): ModelFile {
  const {
    activation: _activation,
    positions: _positions,
    biases: _biases,
    qkNorm: _qkNorm,
    postNorms: _postNorms,
    parallelResidual: _parallelResidual,
    slidingWindow: _slidingWindow,
    latent: _latent,
    linearAttention: _linear,
    otherParameters: _parameters,
    otherFeatures: _otherFeatures,
    moe,
    ...rest
  } = model;
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
