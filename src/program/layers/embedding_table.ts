// The table of an embedding, [vocabulary, hidden], and what a tied head reads of it: the rows of its own
// columns, since its weights are the table transposed.

import type { EmbeddingLayer } from "../../plan/layers/embedding.ts";
import { partsOn, splitEvenly, startsOf, type Tensor } from "../tensor.ts";
import type { LayerContext } from "./context.ts";

/** Of a uniform table. */
export const tableScale = 1;

/** Of learned positions. */
export const positionScale = 0.5;

/** A rectangle of the table: first row and column, rows and columns. */
interface TableRegion {
  readonly shape: readonly [vocabulary: number, hidden: number];
  readonly offset: readonly [row: number, column: number];
  readonly size: readonly [rows: number, columns: number];
}

/** What member i of a group of `size` holds for the embedding. */
export function tableRegion(
  { vocabulary, hidden, split }: EmbeddingLayer,
  i: number,
  size: number,
): TableRegion {
  const shape = [vocabulary, hidden] as const;
  if (split === "replicated") return { shape, offset: [0, 0], size: shape };
  if (split === "column") {
    return { shape, offset: [0, (i * hidden) / size], size: [vocabulary, hidden / size] };
  }
  const rows = splitEvenly(vocabulary, size);
  return { shape, offset: [startsOf(rows)[i] ?? 0, 0], size: [rows[i] ?? 0, hidden] };
}

/**
 * Rows of the table from `firstOf(member)` on, all columns: where a rank's embedding holds the same, the buffer that it
 * reads, else one of the layer's own with equal values.
 */
export function tiedTable(
  { origin, embedding }: LayerContext,
  ranks: readonly number[],
  firstOf: (member: number) => number,
  rows: number,
): Tensor {
  if (embedding === undefined) throw new Error(`${origin.layer}: no embedding to be tied to`);
  const { name, layer } = embedding;
  const size = [rows, layer.hidden];
  const tensor = `${name}/weight`;
  return {
    name: `${origin.layer}/weight`,
    layer: origin.layer,
    role: "weight",
    parts: partsOn(ranks, (member) => {
      const rank = ranks[member] ?? 0;
      const first = firstOf(member);
      const group = layer.groups.find((members) => members.includes(rank)) ?? [];
      const held =
        group.length === 0 ? undefined : tableRegion(layer, group.indexOf(rank), group.length);
      const isShared =
        held?.offset[0] === first && held.size[0] === rows && held.size[1] === layer.hidden;
      return {
        shape: size,
        ...(isShared ? { name: tensor } : {}),
        content: {
          kind: "uniform",
          tensor,
          center: 0,
          scale: tableScale,
          shape: [layer.vocabulary, layer.hidden],
          offset: [first, 0],
          size,
        },
      };
    }),
  };
}
