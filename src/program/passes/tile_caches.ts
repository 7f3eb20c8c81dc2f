// Caches of keys and values of more bytes than a GPU binds at once are cut by heads: each of several caches holds those of
// some key heads, to which new tokens are appended and which are attended by themselves, into one tensor of pieces.

import type { StorageType } from "../../kernels/storage.ts";
import { tensorBytes } from "../builder.ts";
import type { AppendCacheOp, AttendCacheOp } from "../cache_op.ts";
import type { Op } from "../op.ts";
import { mapParts, type Tensor } from "../tensor.ts";
import { type Tile, tileName } from "../tile.ts";

/** @param limit bytes of one binding; latents, which have no heads, stay whole, and so does what one head is too large in */
export function tileCaches(ops: readonly Op[], dtype: StorageType, limit: number): Op[] {
  return ops.flatMap((op): readonly Op[] => {
    if (op.op !== "append-cache" && op.op !== "attend-cache") return [op];
    const count = countOf(op, dtype, limit);
    return count === 1
      ? [op]
      : Array.from({ length: count }, (_, index) => tiled(op, { index, count }));
  });
}

/** The least number of caches of equal heads that can be bound; 1 where there is none. */
function countOf(op: AppendCacheOp | AttendCacheOp, dtype: StorageType, limit: number): number {
  const { cache } = op;
  const bytes = Math.max(
    ...cache.parts.held.map(({ shape }) => tensorBytes(shape, cache.dtype ?? dtype)),
  );
  const heads = headsOf(op);
  const counts = Array.from({ length: heads }, (_, i) => i + 1);
  return counts.find((count) => heads % count === 0 && bytes / count <= limit) ?? 1;
}

function headsOf(op: AppendCacheOp | AttendCacheOp): number {
  if (op.op === "append-cache") return op.right.heads;
  return op.isLatent === true ? 1 : op.kvHeads;
}

function tiled(op: AppendCacheOp | AttendCacheOp, tile: Tile): Op {
  const { index, count } = tile;
  const cache = tileOfCache(op.cache, tile);
  if (op.op === "attend-cache") return { ...op, cache, tile };
  const { left, right } = op;
  const [size, heads] = [left.size / count, right.heads / count];
  return {
    ...op,
    cache,
    left: { ...left, first: left.first + index * size, size },
    right: { ...right, first: right.first + index * heads * right.step, heads },
  };
}

function tileOfCache(cache: Tensor, tile: Tile): Tensor {
  return {
    ...cache,
    name: tileName(cache.name, tile),
    parts: mapParts(cache.parts, ({ shape: [rows = 0, columns = 0], name }) => ({
      shape: [rows, columns / tile.count],
      ...(name === undefined ? {} : { name: tileName(name, tile) }),
    })),
  };
}
