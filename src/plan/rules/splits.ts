// Rules on how one layer is split: the dimension, the kind, the number of GPUs.

import { groupSize, listed, nameOf, placedLayers } from "../layers.ts";
import type { LayerFile, ParallelFile } from "../schema_layers.ts";
import { isGrouped } from "../stages_explicit.ts";
import type { PlanFile } from "../schema.ts";
import { error, info, type Rule } from "./rule.ts";

interface WrittenLayer {
  readonly layer: LayerFile;
  readonly parallel: ParallelFile;
  readonly path: readonly (string | number)[];
}

const writtenLayers = (written: PlanFile | undefined): WrittenLayer[] =>
  (written?.stages ?? []).flatMap((stage, s) =>
    stage.layers.flatMap((layer, l) =>
      layer.parallel === undefined
        ? []
        : [{ layer, parallel: layer.parallel, path: ["stages", s, "layers", l, "parallel"] }],
    ),
  );

interface SplitCodes {
  readonly wrong: string;
  readonly right: string;
}

/** The weight is [in, out]: a split of one kind names its dimension, and no other. */
const splitsDimension =
  (kind: "column" | "row", dimension: number, name: string, codes: SplitCodes): Rule =>
  (_plan, written) =>
    writtenLayers(written).flatMap(({ parallel, path }) => {
      if (parallel.kind !== kind) return [];
      if (parallel.splitDim !== undefined && parallel.splitDim !== dimension) {
        return [
          error(
            codes.wrong,
            [...path, "splitDim"],
            `a ${kind}-parallel weight [in, out] is split along dimension ${dimension}, its ${name}; found ${parallel.splitDim}`,
            `set splitDim to ${dimension}, or kind to ${kind === "row" ? "column" : "row"}`,
          ),
        ];
      }
      return [
        info(
          codes.right,
          path,
          `${kind}-parallel: the weight's ${name} dimension (${dimension}) is split over GPUs ${listed(parallel.gpus.flat())}`,
        ),
      ];
    });

/** A column-parallel weight splits its output, dimension 1. */
export const columnSplitsOutput = splitsDimension("column", 1, "output", {
  wrong: "column-splits-wrong-dimension",
  right: "column-split-correct",
});

/** A row-parallel weight splits its input, dimension 0. */
export const rowSplitsInput = splitsDimension("row", 0, "input", {
  wrong: "row-splits-wrong-dimension",
  right: "row-split-correct",
});

const kindsOf: Record<LayerFile["op"], readonly ParallelFile["kind"][]> = {
  linear: ["column", "row", "replicated", "data"],
  embedding: ["column", "row", "replicated", "data"],
  attention: ["tensor", "data"],
  mlp: ["tensor", "data"],
  moe: ["expert", "tensor", "data"],
  norm: ["replicated", "tensor", "data"],
  residual: ["replicated", "tensor", "data"],
  aggregate: ["replicated", "tensor", "data"],
};

/** Column and row are ways to split one weight; layers of several weights say tensor, data or expert. */
export const kindFitsLayer: Rule = (_plan, written) =>
  writtenLayers(written).flatMap(({ layer, parallel, path }) =>
    kindsOf[layer.op].includes(parallel.kind)
      ? []
      : [
          error(
            "parallel-kind-does-not-fit-layer",
            [...path, "kind"],
            `a layer of op ${layer.op} cannot be ${parallel.kind}-parallel`,
            `choose one of ${kindsOf[layer.op].join(", ")}`,
          ),
        ],
  );

/** `degree` and the number of GPUs in each list are the same. */
export const degreeMatchesGpus: Rule = (_plan, written) =>
  writtenLayers(written).flatMap(({ parallel, path }) => {
    const { degree, gpus } = parallel;
    if (degree === undefined) return [];
    const lists = isGrouped(gpus) ? gpus : [gpus];
    const wrong = lists.find(({ length }) => length !== degree);
    return wrong === undefined
      ? []
      : [
          error(
            "degree-does-not-match-gpus",
            [...path, "gpus"],
            `degree ${degree} needs exactly ${degree} GPUs, ${wrong.length} are listed: ${listed(wrong)}`,
            `list ${degree} GPUs, or set degree to ${wrong.length}`,
          ),
        ];
  });

/** `replicas` replicas share the listed GPUs evenly. */
export const replicasDivideGpus: Rule = (_plan, written) =>
  writtenLayers(written).flatMap(({ parallel, path }) => {
    const { replicas, gpus } = parallel;
    if (replicas === undefined) return [];
    const found = gpus.length;
    if (isGrouped(gpus) ? found === replicas : found % replicas === 0) return [];
    return [
      error(
        "replicas-do-not-match-gpus",
        [...path, "replicas"],
        isGrouped(gpus)
          ? `${replicas} replicas, but ${found} lists of GPUs`
          : `${found} GPUs cannot be shared evenly by ${replicas} replicas`,
        "list as many groups as replicas, or GPUs that replicas divides",
      ),
    ];
  });

/** All data replicas of a layer are split alike. */
export const replicasAreAlike: Rule = (plan) =>
  placedLayers(plan).flatMap((placed) => {
    const size = groupSize(placed.layer);
    const odd = placed.layer.groups.find(({ length }) => length !== size);
    return odd === undefined
      ? []
      : [
          error(
            "replicas-differ-in-size",
            ["stages", placed.stageIndex, "layers", placed.layerIndex, "parallel", "gpus"],
            `${nameOf(plan, placed)} has data replicas of ${size} and of ${odd.length} GPUs`,
            "give every replica the same number of GPUs",
          ),
        ];
  });
