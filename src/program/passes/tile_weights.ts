// Weights of more bytes than a GPU binds at once lie in several buffers: a table as blocks of its rows, each looked up by
// a call that leaves other rows alone, and a product's weight as blocks of columns, each of which gives its own columns of
// the result. A table that a head shares is cut alike for both.

import type { DType, StorageType } from "../../kernels/storage.ts";
import { tensorBytes } from "../builder.ts";
import type { Content, RegionContent } from "../content.ts";
import type { Op } from "../op.ts";
import { mapParts, type Tensor, type TensorPart } from "../tensor.ts";
import { type Tile, type TileExtent, tileName, tileOf, tilesOf, tileUnit } from "../tile.ts";

/** @param limit bytes of one binding; what cannot be cut into tiles of so many stays whole */
export function tileWeights(ops: readonly Op[], dtype: StorageType, limit: number): Op[] {
  const tiled = (weight: Tensor, fromEnd: number) =>
    tilesIn(weight, fromEnd, weight.dtype ?? dtype, limit).map((tile) => ({
      tile,
      weight: tileTensor(weight, fromEnd, tile),
    }));
  return ops.flatMap((op): readonly Op[] => {
    switch (op.op) {
      case "embedding": {
        const tiles = tiled(op.table, 2);
        return tiles.length === 0
          ? [op]
          : tiles.map(({ tile, weight }): Op => ({ ...op, table: weight, tile }));
      }
      case "matmul":
      case "grouped-matmul": {
        const tiles = tiled(op.w, op.isTransposed === true ? 2 : 1);
        return tiles.length === 0
          ? [op]
          : tiles.map(({ tile, weight }): Op => ({ ...op, w: weight, tile }));
      }
      default:
        return [op];
    }
  });
}

/** As many on every rank as the largest part needs; none where each can be bound, or some cannot be cut so. */
function tilesIn({ role, parts }: Tensor, fromEnd: number, dtype: DType, limit: number): Tile[] {
  if (role !== "weight") return [];
  let count = 1;
  let most = Infinity;
  for (const { shape } of parts.held) {
    const extent = shape.at(-fromEnd) ?? 1;
    most = Math.min(most, Math.ceil(extent / tileUnit));
    if (tensorBytes(shape, dtype) <= limit) continue;
    const unitBytes = tensorBytes(replaced(shape, fromEnd, tileUnit), dtype);
    count = Math.max(count, tilesOf(extent, unitBytes, limit) ?? Infinity);
  }
  return count === 1 || count > most
    ? []
    : Array.from({ length: count }, (_, index) => ({ index, count }));
}

/** @param fromEnd which dimension is cut: the last is 1 */
function tileTensor(weight: Tensor, fromEnd: number, tile: Tile): Tensor {
  const cut = ({ shape, content, name }: TensorPart): TensorPart => {
    const extent = tileOf(shape.at(-fromEnd) ?? 1, tile);
    return {
      shape: replaced(shape, fromEnd, extent.size),
      ...(content === undefined ? {} : { content: cutContent(content, fromEnd, extent) }),
      ...(name === undefined ? {} : { name: tileName(name, tile) }),
    };
  };
  return { ...weight, name: tileName(weight.name, tile), parts: mapParts(weight.parts, cut) };
}

function cutContent(content: Content, fromEnd: number, extent: TileExtent): Content {
  if (content.kind !== "beside") return cutRegion(content, fromEnd, extent);
  if (fromEnd > 1) {
    return { kind: "beside", parts: content.parts.map((part) => cutRegion(part, fromEnd, extent)) };
  }
  const kept: RegionContent[] = [];
  let start = 0;
  for (const part of content.parts) {
    const width = part.size.at(-1) ?? 1;
    const first = Math.max(0, extent.first - start);
    const size = Math.min(width, extent.first + extent.size - start) - first;
    if (size > 0) kept.push(cutRegion(part, 1, { first, size }));
    start += width;
  }
  const [only, ...others] = kept;
  return only !== undefined && others.length === 0 ? only : { kind: "beside", parts: kept };
}

function cutRegion(
  part: RegionContent,
  fromEnd: number,
  { first, size }: TileExtent,
): RegionContent {
  return {
    ...part,
    offset: replaced(part.offset, fromEnd, (part.offset.at(-fromEnd) ?? 0) + first),
    size: replaced(part.size, fromEnd, size),
  };
}

function replaced(extents: readonly number[], fromEnd: number, extent: number): readonly number[] {
  return extents.with(extents.length - fromEnd, extent);
}
