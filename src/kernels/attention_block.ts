import { sinksPrelude } from "./attention_shape.ts";
import {
  type AttentionBlockShape,
  blockConstants,
  blockPreludes,
  keyValueColumns,
  pairsOfBlock,
} from "./block_shape.ts";
import { isCpuAdapter } from "./cpu_adapter.ts";
import { workgroupSize } from "./grid.ts";
import { accumulate, type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, ceilDiv } from "./storage.ts";

export interface AttentionStepShape extends AttentionBlockShape {
  /** Whether blocks of keys came before, and whether others follow. */
  readonly at: "first" | "between" | "last";
  /** Binding `sinks` f32 [heads], of the first block: a score of each head that no value belongs to. */
  readonly sinks?: true;
}

/** Queries of a workgroup. */
const tile = 32;

/** Numbers that a query's head has of what was found so far: sums of values, largest score and total, padded. */
export function stateColumns({ heads, valueDim }: Pick<AttentionBlockShape, "heads" | "valueDim">) {
  return heads * (valueDim + 4);
}

/**
 * Fused attention over one of several blocks of keys and values, `kv` [batch · rows, all heads' keys, then values]. `state`
 * f32 [batch · rows, heads, valueDim + 4] goes from block to block: sums, largest score to base 2 and total of an online
 * softmax. The last gives `y` and `logarithms` f32 [batch · rows, heads] of the sums of e^score, to base 2.
 */
export const attentionBlock: Kernel<AttentionStepShape> = {
  name: "attention_block",
  bindings: ({ at, sinks }) => [
    { ...read("qkv"), slot: 0 },
    { ...read("kv"), slot: 2 },
    ...(sinks === undefined ? [] : [{ ...read("sinks", "f32"), slot: 3 }]),
    { ...(at === "first" ? write("state", "f32") : accumulate("state")), slot: 5 },
    ...(at === "last"
      ? [
          { ...write("logarithms", "f32"), slot: 6 },
          { ...write("y"), slot: 1 },
        ]
      : []),
  ],
  preludes: ({ at, ...shape }) => [
    ...blockPreludes,
    sinksPrelude(shape),
    `attention/block_${at === "last" ? "is_last" : "goes_on"}`,
  ],
  constants: (shape, adapter) => ({
    ...blockConstants(shape),
    BEGINS: shape.at === "first" ? 1 : 0,
    // Of one subgroup a CPU waits at no barrier.
    LANES: isCpuAdapter(adapter) ? adapter.subgroupSize.max : workgroupSize,
  }),
  grid: ({ batch, rows, heads }) => [ceilDiv(rows, tile), heads, batch],
  flops: (shape) =>
    2 * shape.batch * shape.heads * pairsOfBlock(shape) * (shape.headDim + shape.valueDim),
  bytes: (shape, dtype) => {
    const { batch, rows, heads, headDim, valueDim, at, sinks } = shape;
    const results = at === "last" ? heads * valueDim : 0;
    const stored = heads * headDim + keyValueColumns(shape) + results;
    const states = (at === "first" ? 1 : 2) * stateColumns(shape) + (at === "last" ? heads : 0);
    const tables = sinks === undefined ? 0 : 4 * heads;
    return batch * rows * (stored * bytesPerElement(dtype) + 4 * states) + tables;
  },
};
