// Rules on recomputing activations in the backward pass.

import type { Plan } from "../plan.ts";
import { error, type Rule, warning } from "./rule.ts";

const path = ["workload", "recompute"];

/** Full recomputation says how its layers are grouped, and how many. */
export const fullRecomputeIsExplained: Rule = ({ workload: { recompute } }) => {
  if (recompute?.granularity !== "full") return [];
  const missing = (["method", "layers"] as const).filter((key) => recompute[key] === undefined);
  return missing.length === 0
    ? []
    : [
        error(
          "full-recompute-needs-method",
          path,
          `full recomputation needs its method and its number of layers; ${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} missing`,
          'such as { "granularity": "full", "method": "uniform", "layers": 1 }',
        ),
      ];
};

/** Selective recomputation is of attention, in every layer: it names neither. */
export const selectiveRecomputeIsBare: Rule = ({ workload: { recompute } }) =>
  recompute?.granularity !== "selective"
    ? []
    : (["method", "layers"] as const).flatMap((key) =>
        recompute[key] === undefined
          ? []
          : [
              error(
                "selective-recompute-takes-no-method",
                [...path, key],
                `selective recomputation takes no ${key}: it is of attention, in every layer`,
                `leave ${key} out, or set granularity to full`,
              ),
            ],
      );

const layersOfRank = ({ degrees, model }: Plan): number | undefined =>
  degrees === undefined || model === undefined
    ? undefined
    : Math.max(...(degrees.layersPerStage ?? [Math.ceil(model.layers / degrees.pipeline)]));

/** No pipeline rank recomputes more layers than it has. */
export const recomputeWithinLayers: Rule = (plan) => {
  const { recompute } = plan.workload;
  const own = layersOfRank(plan);
  if (own === undefined || recompute?.granularity !== "full") return [];
  return (recompute.layers ?? 0) <= own
    ? []
    : [
        error(
          "recompute-exceeds-layers",
          [...path, "layers"],
          `${recompute.layers} layers are to be recomputed, a pipeline rank has ${own}`,
          `use ${own} or less`,
        ),
      ];
};

/** Without a backward pass there is nothing to compute again. */
export const recomputeNeedsTraining: Rule = ({ workload: { mode, recompute } }) =>
  recompute === undefined || mode === "training"
    ? []
    : [
        warning(
          "recompute-without-training",
          path,
          "recomputation acts in the backward pass, but workload.mode is inference",
          "leave it out, or set workload.mode to training",
        ),
      ];
