// Rows of a table, by token id, and of a table of positions.

import { positionScale } from "../../program/layers/embedding_table.ts";
import type { EmbeddingLayer } from "../../plan/layers/embedding.ts";
import { uniformSignal } from "../signal.ts";
import { addTo, matrix, rowOf } from "../tensor.ts";
import { positionsOf, type ReferenceLayer, tableOf } from "./context.ts";

export const embedding: ReferenceLayer<EmbeddingLayer> = {
  apply(context, layer, ids) {
    const { hidden, scale = 1, positions } = layer;
    const table = tableOf(context, { name: context.name, layer });
    const added = positions && positionsOf(context, positions.count, hidden);
    const output = matrix(ids.rows, hidden);
    for (const [row, id] of ids.data.entries()) {
      const own = rowOf(output, row);
      own.set(rowOf(table, id).map((value) => scale * value));
      if (positions === undefined || added === undefined) continue;
      const place = (positions.offset ?? 0) + (row % context.rowsPerSample);
      rowOf(added, place).forEach((value, column) => {
        own[column]! += value;
      });
    }
    return { output };
  },
  gradient({ gradientOf, name, rowsPerSample }, layer, ids, dy) {
    const { vocabulary, hidden, scale = 1, positions } = layer;
    const table = matrix(vocabulary, hidden, gradientOf(`${name}/weight`, [vocabulary, hidden]));
    for (const [row, id] of ids.data.entries()) {
      const own = rowOf(dy, row);
      addTo(
        rowOf(table, id),
        own.map((value) => scale * value),
      );
    }
    if (positions === undefined) return undefined;
    const { count, offset = 0 } = positions;
    const added = matrix(count, hidden, gradientOf(`${name}/positions`, [count, hidden]));
    for (let row = 0; row < dy.rows; row++) {
      addTo(rowOf(added, offset + (row % rowsPerSample)), rowOf(dy, row));
    }
    return undefined;
  },
  round({ stored }, { scale = 1, positions }) {
    const value =
      scale ** 2 * uniformSignal.value + (positions === undefined ? 0 : positionScale ** 2 / 3);
    const isExact = scale === 1 && positions === undefined;
    return isExact ? uniformSignal : stored({ value, error: 0 });
  },
};
