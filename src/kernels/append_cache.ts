import { cachePrelude, type PagedShape, tableWords } from "./cache_shape.ts";
import { flatGrid, workgroupSize } from "./grid.ts";
import { type Kernel, read, update } from "./kernel.ts";
import { bytesPerElement } from "./storage.ts";

/** Where a row of the cache comes from; all columns are multiples of 4. */
export interface AppendCacheShape extends PagedShape {
  /** The first `size` columns of a row: those from `first` on of a tensor with `columns`. */
  readonly left: { readonly columns: number; readonly first: number; readonly size: number };
  /** The rest: of head h the `dim` columns from `first + h · step` on. */
  readonly right: {
    readonly columns: number;
    readonly first: number;
    readonly step: number;
    readonly dim: number;
    readonly heads: number;
  };
}

export function appendedColumns({ left, right }: AppendCacheShape): number {
  return left.size + right.heads * right.dim;
}

/** New tokens into a cache, which keeps all else. */
export const appendCache: Kernel<AppendCacheShape> = {
  name: "append_cache",
  bindings: ({ cacheDtype }) => [
    read("left"),
    read("right"),
    read("spans", "u32"),
    read("pages", "u32"),
    update("cache", cacheDtype),
  ],
  preludes: (shape) => [cachePrelude(shape)],
  constants: (shape) => {
    const { batch, queries, pageTokens, pages, left, right } = shape;
    return {
      BATCH: batch,
      QUERIES: queries,
      PAGE_TOKENS: pageTokens,
      PAGES: pages,
      CACHE_QUADS: appendedColumns(shape) / 4,
      LEFT_PITCH: left.columns / 4,
      LEFT_FIRST: left.first / 4,
      LEFT_QUADS: left.size / 4,
      RIGHT_PITCH: right.columns / 4,
      RIGHT_FIRST: right.first / 4,
      RIGHT_STEP: right.step / 4,
      RIGHT_DIM: right.dim / 4,
      WORKGROUP: workgroupSize,
    };
  },
  grid: (shape) => flatGrid((shape.batch * shape.queries * appendedColumns(shape)) / 4),
  flops: () => 0,
  bytes: (shape, dtype) => {
    const { batch, queries, cacheDtype } = shape;
    const moved = batch * queries * appendedColumns(shape);
    return moved * (bytesPerElement(dtype) + bytesPerElement(cacheDtype)) + 4 * tableWords(shape);
  },
};
