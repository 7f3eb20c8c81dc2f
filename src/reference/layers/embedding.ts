// Rows of a table, by token id.

import { uniformSignal } from "../signal.ts";
import type { EmbeddingLayer } from "../../plan/layers/embedding.ts";
import { matrix, rowOf } from "../tensor.ts";
import { type ReferenceLayer, tableOf } from "./context.ts";

export const embedding: ReferenceLayer<EmbeddingLayer> = {
  apply(context, layer, ids) {
    const table = tableOf(context, { name: context.name, layer });
    const output = matrix(ids.rows, layer.hidden);
    for (const [row, id] of ids.data.entries()) rowOf(output, row).set(rowOf(table, id));
    return { output };
  },
  round: () => uniformSignal,
};
