// What a model is described with and no layer here runs. Such a plan is counted and drawn as far as it goes.

import type { Path } from "./document.ts";
import type { Model } from "./plan.ts";

export interface Feature {
  /** Stable, kebab-case. */
  readonly name: string;
  /** Below `model`. */
  readonly path: Path;
  readonly what: string;
}

/** What of a model's description no layer does yet. */
export function featuresBeyondLayers(model: Model): Feature[] {
  const { positions, parallelResidual, moe, otherFeatures } = model;
  const biases = model.biases?.filter((part) => part === "mlp" || part === "head");
  const when = (condition: boolean, name: string, path: Path, what: string): Feature[] =>
    condition ? [{ name, path, what }] : [];
  return [
    ...when(
      positions?.kind === "learned",
      "learned-positions",
      ["positions"],
      "learned position embeddings",
    ),
    ...when(
      (biases ?? []).length > 0,
      "biases",
      ["biases"],
      `linear layers with biases (${listed(biases)})`,
    ),
    ...when(model.postNorms === true, "post-norms", ["postNorms"], "norms after attention and MLP"),
    ...when(
      parallelResidual !== undefined,
      "parallel-residual",
      ["parallelResidual"],
      "attention and MLP side by side (parallel residual)",
    ),
    ...when(
      model.linearAttention !== undefined,
      "linear-attention",
      ["linearAttention"],
      `linear attention in ${model.linearAttention?.layers} layers`,
    ),
    ...activationFeature(model),
    ...when(
      moe?.sharedFfn !== undefined,
      "shared-experts",
      ["moe", "sharedFfn"],
      "experts that all tokens share beside the routed ones",
    ),
    ...when(
      moe?.redundantExperts !== undefined && moe.redundantExperts > 0,
      "redundant-experts",
      ["moe", "redundantExperts"],
      "copies of experts",
    ),
    ...when(
      moe?.routingBias === true,
      "routing-bias",
      ["moe", "routingBias"],
      "routing steered by biases",
    ),
    ...(otherFeatures ?? []).map((name, i) => ({
      name,
      path: ["otherFeatures", i],
      what: JSON.stringify(name),
    })),
  ];
}

function listed(names: readonly string[] = []): string {
  return names.join(", ");
}

/** Gated MLPs use silu here, plain ones gelu. */
function activationFeature({ activation, gated }: Model): Feature[] {
  const ours = gated ? "silu" : "gelu";
  return activation === undefined || activation === ours
    ? []
    : [
        {
          name: "mlp-activation",
          path: ["activation"],
          what: `${gated ? "a gated" : "an ungated"} MLP with ${activation}; here it has ${ours}`,
        },
      ];
}
