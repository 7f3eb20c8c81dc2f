// What a plan's records say that layers leave is what their ops leave.

import { expect, test } from "vitest";
import type { ExpertGroup } from "../../src/plan/groups.ts";
import { tensorSizes } from "../../src/plan/layers.ts";
import { type Layer, planLayerOf } from "../../src/plan/layers/layers.ts";
import type { LayerContext } from "../../src/program/layers/context.ts";
import { embeddingOps } from "../../src/program/layers/embedding.ts";
import { opsOf } from "../../src/program/layers/layers.ts";
import { type ShardedTensor, sameOn } from "../../src/program/tensor.ts";
import { attention, linear, mlp, moe, plan } from "../support/plans.ts";

const group = [0, 1];
const columns = 8;
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

function leftBy(layer: Layer) {
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

function experts(expertGroups: readonly ExpertGroup[]) {
  return moe(columns, 2, 1, [group], [], { expertGroups });
}
const table = { op: "embedding", vocabulary: 10, hidden: columns, groups: [group] } as const;

test.each([
  ["a column-parallel matrix", linear(columns, columns, "column", [group]), [2]],
  ["a row-parallel matrix", linear(columns, columns, "row", [group]), [2]],
  ["a whole matrix", linear(columns, columns, "replicated", [group]), []],
  ["a table split by columns", { ...table, split: "column" as const }, [2]],
  ["a table split by rows", { ...table, split: "row" as const }, [2]],
  ["attention", attention(columns, 2, 2, [group]), [2]],
  ["an MLP", mlp(columns, columns, "gelu", [group]), [2]],
  ["whole experts", experts([[[0], [1]]]), []],
  ["slices of experts", experts([[[0, 1]]]), [2]],
  ["a norm", { op: "norm", norm: "rms", hidden: columns, epsilon: 1e-5, groups: [group] }, []],
  ["a residual", { op: "residual", hidden: columns, from: 0, groups: [group] }, []],
] as const)("%s", (_, draft, sizes) => {
  const layer: Layer = { ...draft, name: "here" };
  const { placement } = planLayerOf(layer).leaves(layer);
  expect(leftBy(layer).shards.map((shard) => shard.placement.kind)).toEqual([placement]);
  expect(tensorSizes(layer)).toEqual(sizes);
});
