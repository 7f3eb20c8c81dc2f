// What a layer's ops leave on a group of two ranks, beside what the plan's record of it says.

import { tensorSizes } from "../../src/plan/layers.ts";
import { type Layer, planLayerOf } from "../../src/plan/layers/layers.ts";
import type { LayerContext } from "../../src/program/layers/context.ts";
import { embeddingOps } from "../../src/program/layers/embedding.ts";
import { opsOf } from "../../src/program/layers/layers.ts";
import { type ShardedTensor, sameOn } from "../../src/program/tensor.ts";
import { plan } from "./plans.ts";

/** Ranks and columns of what the layer reads. */
export const group = [0, 1];
export const columns = 8;
const rows = 6;
const origin = { stage: "stage0", layer: "here", phase: "forward" } as const;

const input: ShardedTensor = {
  rows,
  columns,
  sampleRows: 3,
  origin,
  shards: [
    {
      ranks: group,
      rowOffset: 0,
      rows,
      placement: { kind: "replicate" },
      tensor: {
        name: "input",
        layer: "before",
        role: "activation",
        parts: sameOn(group, { shape: [rows, columns] }),
      },
    },
  ],
};

function resultOf(layer: Layer) {
  const context: LayerContext = {
    workload: plan("any", 2, []).workload,
    origin,
    add: () => undefined,
    overlap: false,
    contextRanks: 1,
    weightParts: new Map(),
    tables: new Map(),
  };
  return layer.op === "embedding"
    ? embeddingOps(context, layer)
    : opsOf(layer)(context, layer, input, [input]);
}

/** How its result lies, how its record says that it does, and sizes of tensor groups on which it is not whole. */
export function leftBy(layer: Layer) {
  return {
    lies: resultOf(layer).shards.map(({ placement }) => placement.kind),
    said: [planLayerOf(layer).leaves(layer).placement],
    sizes: tensorSizes(layer),
  };
}
