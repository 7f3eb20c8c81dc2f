// Rules on what a model is described with and our layers cannot run. Such a plan is counted and drawn as
// it is; only running it is refused.

import type { Diagnostic } from "../diagnostic.ts";
import type { Path } from "../document.ts";
import type { Model } from "../plan.ts";
import { error, type Rule, warning } from "./rule.ts";

interface Feature {
  /** Below `model`. */
  readonly path: Path;
  readonly what: string;
}

const advice =
  "check, estimate and describe take it as it is; to run the rest, leave it out of the model " +
  "(`shardbench import --runnable` does so)";

/** Everything the model is described with has a layer that does it. */
export const layersAreRunnable: Rule = ({ model }) =>
  model === undefined
    ? []
    : featuresBeyondLayers(model).map(({ path, what }): Diagnostic =>
        error("layer-not-runnable", ["model", ...path], `no layer here can run ${what}`, advice),
      );

/** What of a model's description no layer does yet. */
export const featuresBeyondLayers = (model: Model): Feature[] => {
  const { positions, biases, slidingWindow, parallelResidual, latent, moe, otherFeatures } = model;
  const when = (condition: boolean, path: Path, what: string): Feature[] =>
    condition ? [{ path, what }] : [];
  return [
    ...when(positions !== undefined, ["positions"], `${positions?.kind} position embeddings`),
    ...when((biases ?? []).length > 0, ["biases"], `linear layers with biases (${listed(biases)})`),
    ...when(model.qkNorm === true, ["qkNorm"], "norms of queries and keys"),
    ...when(model.postNorms === true, ["postNorms"], "norms after attention and MLP"),
    ...when(
      parallelResidual !== undefined,
      ["parallelResidual"],
      "attention and MLP side by side (parallel residual)",
    ),
    ...when(
      slidingWindow !== undefined,
      ["slidingWindow"],
      `attention within a sliding window of ${slidingWindow?.tokens} tokens`,
    ),
    ...when(latent !== undefined, ["latent"], "latent attention through low-rank projections"),
    ...activationFeature(model),
    ...when(
      moe?.sharedFfn !== undefined,
      ["moe", "sharedFfn"],
      "experts that all tokens share beside the routed ones",
    ),
    ...when(moe?.routingBias === true, ["moe", "routingBias"], "routing steered by biases"),
    ...(otherFeatures ?? []).map((name, i) => ({
      path: ["otherFeatures", i],
      what: JSON.stringify(name),
    })),
  ];
};

const listed = (names: readonly string[] = []): string => names.join(", ");

/** Gated MLPs use silu here, plain ones gelu. */
const activationFeature = ({ activation, gated }: Model): Feature[] => {
  const ours = gated ? "silu" : "gelu";
  return activation === undefined || activation === ours
    ? []
    : [
        {
          path: ["activation"],
          what: `${gated ? "a gated" : "an ungated"} MLP with ${activation}; here it has ${ours}`,
        },
      ];
};

/** A tied head runs with weights of its own: as fast, but with more memory. */
export const tiedWeightsAreSaid: Rule = ({ model }) => {
  if (model?.tiedEmbeddings !== true || model.vocabulary === undefined) return [];
  const extra = model.vocabulary * model.hidden;
  return [
    warning(
      "tied-weights-held-twice",
      ["model", "tiedEmbeddings"],
      `the head shares the embedding's weights, but here it has its own: ${extra} parameters more`,
      "read figures of memory with that in mind; parameters are counted once",
    ),
  ];
};
