// Attention of a step of serving: keys and values of new tokens go into caches that stay from step to step, and new
// tokens see what lies there.

import { cachePieces } from "../../kernels/attend_cache.ts";
import type { NewOp } from "../op.ts";
import { type CacheUse, slotsOfReplicas } from "../serving/caches.ts";
import { servedBy } from "../serving/served.ts";
import { sameOn, type Tensor } from "../tensor.ts";
import { activation, type CacheTables, type LayerContext } from "./context.ts";

/** A group of ranks with requests of its own. */
export interface Replica {
  readonly index: number;
  /** In all. */
  readonly count: number;
  readonly rowOffset: number;
  readonly rows: number;
}

type NewAttention = Extract<NewOp, { readonly op: "attention" }>;

/** As the op says it, but through the caches. */
export function cachedAttention(
  context: LayerContext,
  cache: CacheUse,
  op: NewAttention,
  replica: Replica,
): void {
  const { origin, add } = context;
  const { ranks, qkv, y, heads, kvHeads, headDim } = op;
  const { queries, pageTokens, expectedKeys } = cache;
  const sizes = { queries, pageTokens, heads, kvHeads, headDim };
  const tables = tablesOf(context, cache, ranks, replica);
  const [k, v] = cachesOf(context, cache, op, replica);
  const common = { origin, ranks, ...tables, ...sizes, k };
  add({ op: "append-cache", ...common, v, qkv });
  if (cache.isFresh) {
    add(op);
    return;
  }
  const shape = [replica.rows * heads, cachePieces(cache) * (headDim + 4)];
  const partials = activation(context, "partials", ranks, shape, "f32");
  add({ op: "attend-cache", ...common, v, qkv, partials, expectedKeys });
  add({ op: "combine-attention", ...common, partials, expectedKeys, y });
}

/** Keys and values of the rank's heads, for all requests that its replica runs at once. */
function cachesOf(
  { origin, workload }: LayerContext,
  { pageTokens, pages, cacheDtype }: CacheUse,
  { ranks, kvHeads, headDim }: NewAttention,
  { index, count }: Replica,
): [k: Tensor, v: Tensor] {
  const { phase } = workload;
  const slots = phase === undefined ? 0 : (slotsOfReplicas(phase, count)[index] ?? 0);
  const parts = sameOn(ranks, { shape: [slots * pages * pageTokens, kvHeads * headDim] });
  const cache = (part: string): Tensor => ({
    name: `${origin.layer}/cache/${part}`,
    layer: origin.layer,
    role: "cache",
    dtype: cacheDtype,
    parts,
  });
  return [cache("k"), cache("v")];
}

/** Written once for all layers of the stage on these ranks. */
function tablesOf(
  { origin, add, tables, workload }: LayerContext,
  { queries, pages }: CacheUse,
  ranks: readonly number[],
  { rowOffset, rows }: Replica,
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
    const served = servedBy(workload, of, own, 1);
    add({
      op: "input",
      origin,
      ranks,
      y,
      rowsPerMicroBatch: workload.batch / workload.microBatches,
      ...served,
    });
    return y;
  };
  const made = { spans: table("spans", 2), pages: table("pages", pages) };
  tables.set(ranks, made);
  return made;
}
