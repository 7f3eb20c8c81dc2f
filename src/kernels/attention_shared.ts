// Attention whose queries, keys and values a workgroup shares in its memory: for GPUs.

import { attentionConstants, type AttentionShape, valueDimOf } from "./attention_shape.ts";
import type { AdapterTraits, Tiling, AlternativeShader } from "./kernel.ts";
import { isCpuAdapter } from "./cpu_adapter.ts";
import { ceilDiv, rowQuads } from "./storage.ts";

interface Tile {
  readonly edge: 8 | 16;
  readonly blocks: 1 | 2;
  /** Quads of the head that go through workgroup memory at a time. */
  readonly depth: number;
}

/** The more an invocation has to do with what it reads, the fewer of them there are to keep a GPU busy. */
const tiles: readonly Tile[] = [
  { edge: 8, blocks: 2, depth: 4 },
  { edge: 8, blocks: 2, depth: 8 },
  { edge: 16, blocks: 1, depth: 4 },
  { edge: 8, blocks: 1, depth: 4 },
];

function rowsOf({ edge, blocks }: Tile): number {
  return 4 * edge * blocks;
}

/** Quads of the values to an invocation, a power of two. */
function columnsOf({ edge }: Tile, valueDim: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, rowQuads(valueDim) / edge)));
}

/** Queries and keys, their exponentials, and what a row of invocations agrees on. */
function sharedBytes(tile: Tile): number {
  const rows = rowsOf(tile);
  const { edge, blocks, depth } = tile;
  return 16 * (2 * rows * (depth + 1) + rows * (edge * blocks + 1) + blocks * edge ** 2);
}

function fitting(valueDim: number, { limits }: AdapterTraits): readonly Tile[] {
  return tiles.filter(
    (tile) =>
      // More sums than that leave the registers.
      tile.blocks * columnsOf(tile, valueDim) <= 4 &&
      sharedBytes(tile) <= (limits["maxComputeWorkgroupStorageSize"] ?? 16_384) &&
      tile.edge ** 2 <= (limits["maxComputeInvocationsPerWorkgroup"] ?? 256),
  );
}

/** Workgroups with something to do. */
const busyWorkgroups = 64;

function tiling(shape: AttentionShape, tile: Tile): Tiling {
  const { batch, sequence, heads } = shape;
  return {
    constants: {
      ...attentionConstants(shape),
      EDGE: tile.edge,
      BLOCKS: tile.blocks,
      COLUMNS: columnsOf(tile, valueDimOf(shape)),
      DEPTH: tile.depth,
    },
    grid: [ceilDiv(sequence, rowsOf(tile)), heads, batch],
  };
}

/** `attention` with as little to read per multiply-add as registers allow. */
export const attentionShared: AlternativeShader<AttentionShape> = {
  name: "attention_shared",
  // Right anywhere, but a CPU pays more for its barriers than for loads.
  runsOn: (adapter, _dtype, shape) =>
    !isCpuAdapter(adapter) && fitting(valueDimOf(shape), adapter).length > 0,
  isPreferred: ({ sequence }) => sequence > 16,
  tilings: (shape, adapter) => {
    const possible = fitting(valueDimOf(shape), adapter);
    const keepsBusy = (tile: Tile): boolean =>
      ceilDiv(shape.sequence, rowsOf(tile)) * shape.heads * shape.batch >= busyWorkgroups;
    const expected = possible.find(keepsBusy) ?? possible.at(-1);
    if (expected === undefined) throw new Error("attention_shared has no tile that fits");
    const others = possible.filter((tile) => tile !== expected);
    return [tiling(shape, expected), ...others.map((tile) => tiling(shape, tile))];
  },
};
