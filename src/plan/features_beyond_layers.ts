// What a model is described with and no layer here runs. Such a plan is counted and drawn as far as it goes.

import type { Path } from "./document.ts";
import type { Bias, Model } from "./plan.ts";

/** Of layers that add them. */
export const runnableBiases: readonly Bias[] = ["mlp", "experts", "router", "head"];

export interface Feature {
  /** Stable, kebab-case. */
  readonly name: string;
  /** Below `model`. */
  readonly path: Path;
  readonly what: string;
}

/** What of a model's description no layer does yet. */
export function featuresBeyondLayers(model: Model): Feature[] {
  const { positions, slidingWindow, latent, moe, otherFeatures } = model;
  const biases = (model.biases ?? []).filter((each) => !runnableBiases.includes(each));
  const isLearned =
    positions?.kind === "learned" &&
    positions.count !== undefined &&
    model.vocabulary !== undefined;
  const when = (condition: boolean, name: string, path: Path, what: string): Feature[] =>
    condition ? [{ name, path, what }] : [];
  return [
    ...when(
      positions !== undefined && !isLearned,
      `${positions?.kind}-positions`,
      ["positions"],
      `${positions?.kind} position embeddings`,
    ),
    ...when(
      biases.length > 0,
      "biases",
      ["biases"],
      `linear layers with biases (${listed(biases)})`,
    ),
    ...when(
      model.qkNorm === true || model.qkNorm === "all-heads",
      "qk-norm",
      ["qkNorm"],
      "norms of queries and keys",
    ),
    ...when(
      model.parallelResidual !== undefined && (model.postNorms ?? false) !== false,
      "post-norms",
      ["postNorms"],
      "norms after attention and MLP that stand side by side",
    ),
    ...when(
      slidingWindow !== undefined,
      "sliding-window",
      ["slidingWindow"],
      `attention within a sliding window of ${slidingWindow?.tokens} tokens`,
    ),
    ...when(
      latent !== undefined,
      "latent-attention",
      ["latent"],
      "latent attention through low-rank projections",
    ),
    ...when(
      model.linearAttention !== undefined,
      "linear-attention",
      ["linearAttention"],
      `linear attention in ${model.linearAttention?.layers} layers`,
    ),
    ...when(
      moe?.redundantExperts !== undefined && moe.redundantExperts > 0,
      "redundant-experts",
      ["moe", "redundantExperts"],
      "copies of experts",
    ),
    ...(otherFeatures ?? []).map((name, i) => ({
      name,
      path: ["otherFeatures", i],
      what: JSON.stringify(name),
    })),
  ];
}

function listed(names: readonly string[]): string {
  return names.join(", ");
}
