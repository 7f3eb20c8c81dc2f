// Tables that say where the new tokens of a step stand: written by the host at each step, once for all layers of a stage
// on the same ranks.

import type { PositionsShape } from "../../kernels/positions.ts";
import { sliceStarts } from "../../kernels/slices.ts";
import type { CacheTables, LayerContext } from "../layers/context.ts";
import { sameOn, type Tensor } from "../tensor.ts";
import type { CacheUse } from "./caches.ts";
import { servedBy } from "./served.ts";

/** Rows of a step that a group of ranks works on. */
export interface RowRange {
  readonly rowOffset: number;
  readonly rows: number;
}

export function cacheTables(
  { origin, add, tables, workload }: LayerContext,
  { queries, pages }: CacheUse,
  ranks: readonly number[],
  { rowOffset, rows }: RowRange,
): CacheTables {
  const known = tables.get(ranks);
  if (known !== undefined) return known;
  const requests = rows / queries;
  const table = (part: "spans" | "pages", columns: number): Tensor => {
    const y: Tensor = {
      name: `${origin.layer}/${part}`,
      layer: origin.layer,
      role: "input",
      dtype: "u32",
      parts: sameOn(ranks, { shape: [requests, columns] }),
    };
    const own = ranks.map(() => ({ firstRow: rowOffset / queries, rows: requests }));
    const of =
      part === "spans" ? ({ what: "spans" } as const) : ({ what: "pages", pages } as const);
    add({
      op: "input",
      origin,
      ranks,
      y,
      rowsPerMicroBatch: workload.batch / workload.microBatches,
      ...servedBy(workload, of, own, 1),
    });
    return y;
  };
  const made = { spans: table("spans", 2), pages: table("pages", pages) };
  tables.set(ranks, made);
  return made;
}

/**
 * Of ops whose rows have positions: what these are in a step of serving, else the place in sequences, of which the group
 * may have slices.
 *
 * @param range of the group `index`
 * @param sequence tokens of a whole one
 */
export function positionsOf(
  context: LayerContext,
  ranks: readonly number[],
  range: RowRange & { readonly index: number },
  sequence: number,
): PositionsShape & { readonly spans?: Tensor } {
  const { cache, contextRanks } = context;
  if (contextRanks > 1) {
    const starts = sliceStarts(sequence, contextRanks, range.index % contextRanks);
    return { sequence, slices: { rows: sequence / contextRanks, starts } };
  }
  if (cache === undefined) return { sequence };
  const { spans } = cacheTables(context, cache, ranks, range);
  return { sequence: cache.tokens, queries: cache.queries, spans };
}
