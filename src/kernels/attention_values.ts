import {
  attentionConstants,
  type AttentionShape,
  valueDimOf,
  type ValuesApart,
} from "./attention_shape.ts";
import { scoreBytes } from "./attention_scores.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, ceilDiv } from "./storage.ts";

/** Queries of a workgroup. */
const tile = 32;

/**
 * Of attention that is not fused: the values by `weights` f32 [batch · heads · sequence, sequence]. `v` is what holds
 * values, be it with queries and keys before them.
 */
export const attentionValues: Kernel<AttentionShape> = {
  name: "attention_values",
  bindings: [
    { ...read("weights", "f32"), slot: 3 },
    { ...read("v"), slot: 2 },
    { ...write("y"), slot: 1 },
  ],
  preludes: () => ["attention/values_apart", "attention/keys_seen", "attention/scores"],
  constants: (shape) => ({
    ...attentionConstants({ ...shape, values: valuesOf(shape) }),
    LANES: 64,
  }),
  grid: ({ batch, sequence, heads }) => [ceilDiv(sequence, tile), heads, batch],
  flops: (shape) => 2 * shape.batch * shape.heads * shape.sequence ** 2 * valueDimOf(shape),
  bytes: (shape, dtype) => {
    const { batch, sequence, heads, kvHeads } = shape;
    const columns = (heads + kvHeads) * valueDimOf(shape);
    return batch * sequence * columns * bytesPerElement(dtype) + scoreBytes(shape);
  },
};

/** Where values lie in `v`. */
export function valuesOf({ heads, kvHeads, headDim, values }: AttentionShape): ValuesApart {
  const first = (heads + kvHeads) * headDim;
  return values ?? { dim: headDim, columns: first + kvHeads * headDim, first, step: headDim };
}
