import { fold } from "./grid.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, ceilDiv, paddedElements } from "./storage.ts";

export interface GatedDeltaShape {
  readonly batch: number;
  readonly sequence: number;
  readonly keyHeads: number;
  /** A multiple of `keyHeads`: neighbors share queries and keys. */
  readonly valueHeads: number;
  /** A multiple of 4. */
  readonly keyDim: number;
  /** A multiple of 4. */
  readonly valueDim: number;
}

/** Bytes of workgroup memory that every adapter has. */
const workgroupMemory = 16_384;

/** Invocations of a workgroup: each has four columns of a state. */
function workgroupOf({ keyDim }: GatedDeltaShape): number {
  return Math.max(1, Math.min(32, Math.floor(workgroupMemory / (16 * keyDim))));
}

function elementsRead({
  batch,
  sequence,
  keyHeads,
  valueHeads,
  keyDim,
  valueDim,
}: GatedDeltaShape) {
  return batch * sequence * (2 * keyHeads * keyDim + valueHeads * valueDim);
}

/**
 * The gated delta rule, token by token: of each value head a state S [keyDim, valueDim], zeros before a sequence, becomes
 * decay · S, then S + k ⊗ (sigmoid(update) · (v - kᵀ · S)), and y = qᵀ · S / √keyDim. Queries and keys have length 1;
 * decay = exp(-exp(rate) · softplus(step)).
 */
export const gatedDelta: Kernel<GatedDeltaShape> = {
  name: "gated_delta",
  bindings: [read("x"), read("update"), read("step"), read("rates", "f32"), write("y")],
  constants: (shape) => ({
    BATCH: shape.batch,
    SEQUENCE: shape.sequence,
    KEY_HEADS: shape.keyHeads,
    VALUE_HEADS: shape.valueHeads,
    KEY_DIM: shape.keyDim,
    VALUE_DIM: shape.valueDim,
    WORKGROUP: workgroupOf(shape),
  }),
  grid: (shape) => {
    const quads = (shape.batch * shape.valueHeads * shape.valueDim) / 4;
    return [...fold(ceilDiv(quads, workgroupOf(shape))), 1];
  },
  // A state decays, is read by a key, is added to and is read by a query.
  flops: ({ batch, sequence, valueHeads, keyDim, valueDim }) =>
    7 * batch * sequence * valueHeads * keyDim * valueDim,
  bytes: (shape, dtype) => {
    const { batch, sequence, valueHeads, valueDim } = shape;
    const rows = batch * sequence;
    const stored =
      elementsRead(shape) + 2 * paddedElements(rows, valueHeads) + rows * valueHeads * valueDim;
    return stored * bytesPerElement(dtype) + 4 * paddedElements(1, valueHeads);
  },
};
