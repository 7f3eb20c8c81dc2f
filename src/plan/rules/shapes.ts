// Rules on whether one layer's result is what the next layer takes.

import { fieldPath, inputWidthOf, nameOf, placedLayers, resultSplit } from "../layers.ts";
import { error, type Rule } from "./rule.ts";

/** A layer's input is as wide as the result before it. */
export const widthsAgree: Rule = (plan) => {
  const placed = placedLayers(plan);
  return placed.flatMap((each, i) => {
    const wanted = inputWidthOf(each.layer);
    const before = placed[i - 1]?.outputWidth;
    if (wanted === undefined || before === undefined || wanted === before) return [];
    const field = each.layer.op === "linear" ? "in" : "hidden";
    return [
      error(
        "dimensions-disagree",
        fieldPath(plan, each, field),
        `${nameOf(plan, each)} takes ${wanted} columns, but the layer before it gives ${before}`,
        `set ${field} to ${before}, or mend the layer before`,
      ),
    ];
  });
};

/** Token ids come from outside: only the first layer can look them up. */
export const embeddingComesFirst: Rule = (plan) =>
  placedLayers(plan)
    .slice(1)
    .flatMap((each) =>
      each.layer.op === "embedding"
        ? [
            error(
              "embedding-not-first",
              fieldPath(plan, each),
              `${nameOf(plan, each)} looks up token ids, but stands after other layers`,
              "make it the first layer of the first stage",
            ),
          ]
        : [],
    );

/** A residual adds the input of an earlier layer of its stage, of the same width and rows. */
export const residualsFit: Rule = (plan) => {
  const placed = placedLayers(plan);
  return placed.flatMap((each, i) => {
    const { layer, layerIndex } = each;
    if (layer.op !== "residual") return [];
    const source = placed[i - layerIndex + layer.from];
    if (source === undefined || layer.from >= layerIndex) {
      return [
        error(
          "residual-from-no-earlier-layer",
          fieldPath(plan, each, "from"),
          `${nameOf(plan, each)} adds the input of layer ${layer.from}, which does not stand before it in this stage`,
          `name a layer from 0 to ${layerIndex - 1}`,
        ),
      ];
    }
    if (source.layer.op === "embedding") {
      return [
        error(
          "residual-of-token-ids",
          fieldPath(plan, each, "from"),
          `${nameOf(plan, each)} adds the input of an embedding, which is token ids`,
          "name a later layer",
        ),
      ];
    }
    const sameSize = source.inputWidth === each.inputWidth && source.inputRows === each.inputRows;
    return sameSize
      ? []
      : [
          error(
            "residual-differs-in-size",
            fieldPath(plan, each, "from"),
            `${nameOf(plan, each)} adds ${source.inputRows} × ${source.inputWidth} values to ${each.inputRows} × ${each.inputWidth}`,
            "add the input of a layer that works on the same rows and columns",
          ),
        ];
  });
};

/** Attention works within sequences, and aggregation leaves none. */
export const sequencesLastUntilAggregation: Rule = (plan) =>
  placedLayers(plan).flatMap((each) => {
    const { layer, aggregated } = each;
    const needsSequences =
      layer.op === "attention" || (layer.op === "aggregate" && layer.over === "sequence");
    return aggregated === "no" || !needsSequences
      ? []
      : [
          error(
            "sequence-already-aggregated",
            fieldPath(plan, each),
            `${nameOf(plan, each)} works within sequences, but an aggregate before it has left none`,
            "move it before the aggregate",
          ),
        ];
  });

/** What is aggregated is the result of a layer. */
export const aggregateHasInput: Rule = (plan) =>
  placedLayers(plan)
    .slice(0, 1)
    .flatMap((each) =>
      each.layer.op === "aggregate"
        ? [
            error(
              "aggregate-first",
              fieldPath(plan, each),
              `${nameOf(plan, each)} is the first layer: nothing says how wide its input is`,
              "put a layer with dimensions before it",
            ),
          ]
        : [],
    );

/** The activation of a sum is not the sum of activations. */
export const rowSplitHasNoActivation: Rule = (plan) =>
  placedLayers(plan).flatMap((each) => {
    const { layer } = each;
    if (layer.op !== "linear" || layer.activation === "none" || resultSplit(layer) !== "row") {
      return [];
    }
    return [
      error(
        "activation-of-partial-sum",
        fieldPath(plan, each, "activation"),
        `${nameOf(plan, each)} is row-parallel: ${layer.activation} would act on partial sums, before they are reduced`,
        "move the activation to a column-parallel layer",
      ),
    ];
  });
