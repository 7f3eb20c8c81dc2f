// What of a model our layers run: the rest of its description left out, so that the plan can be timed.

import { runnableBiases } from "../features_beyond_layers.ts";
import type { ModelFile } from "../schema_model.ts";

/** Sizes stay as they are; a head of latent attention keeps its part without positions. */
export function runnableModel(model: ModelFile): ModelFile {
  const {
    positions,
    biases,
    qkNorm: _qkNorm,
    slidingWindow: _slidingWindow,
    latent: _latent,
    linearAttention: _linear,
    otherParameters: _parameters,
    otherFeatures: _otherFeatures,
    moe,
    ...others
  } = model;
  const kept = (biases ?? []).filter((each) => runnableBiases.includes(each));
  const rest = {
    ...others,
    ...(kept.length === 0 ? {} : { biases: kept }),
    ...(positions?.kind === "learned" && positions.count !== undefined ? { positions } : {}),
  };
  if (moe === undefined) return rest;
  const { redundantExperts: _copies, ...experts } = moe;
  return { ...rest, moe: experts };
}
