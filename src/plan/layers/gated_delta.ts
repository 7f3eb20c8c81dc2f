// Linear attention by the gated delta rule, with its projections, its short convolution and its gate.

import { z } from "zod";
import { count } from "../schema_numbers.ts";
import { type LayerBase, leavesSum, type PlanLayer } from "./layer.ts";
import { parallel } from "./parallel.ts";

/** Heads of linear attention, whose queries and keys several value heads share (Qwen3-Next, Qwen3.5). */
export interface DeltaHeads {
  readonly keyHeads: number;
  /** A multiple of `keyHeads`. */
  readonly valueHeads: number;
  readonly keyDim: number;
  readonly valueDim: number;
  /** Tokens that the convolution sees, the own one among them. */
  readonly kernel: number;
}

/**
 * Yang et al., Gated Delta Networks, 2024. Each value head keeps a state [keyDim, valueDim] from token to token, which
 * decays, and in which what a key stands for is replaced by a new value.
 */
export interface GatedDeltaLayer extends LayerBase, DeltaHeads {
  readonly op: "gated-delta";
  readonly hidden: number;
  /** Of the norm of each head's result. */
  readonly epsilon: number;
}

export const deltaHeadsFile = z.strictObject({
  keyHeads: count,
  valueHeads: count,
  keyDim: count,
  valueDim: count,
  kernel: count.max(64),
});

const schema = z.strictObject({
  op: z.literal("gated-delta"),
  hidden: count,
  ...deltaHeadsFile.shape,
  epsilon: z.number().positive().exactOptional(),
  parallel,
});

/** Four columns of a state lie in the 16 KiB that a workgroup has on every adapter. */
export const mostKeyDim = 1024;

/** Columns of a token's queries, keys and values, side by side. */
export function deltaColumns({ keyHeads, valueHeads, keyDim, valueDim }: DeltaHeads): number {
  return 2 * keyHeads * keyDim + valueHeads * valueDim;
}

export const gatedDelta = {
  schema,
  kinds: ["tensor", "data"],
  read: ({ parallel: _, ...rest }, base): GatedDeltaLayer => ({ ...base, epsilon: 1e-6, ...rest }),
  write: (layer, { gpus }) => ({ ...layer, parallel: { kind: "tensor", gpus } }),
  inputWidth: ({ hidden }) => hidden,
  outputWidth: ({ hidden }) => hidden,
  detail: ({ keyHeads, valueHeads }) =>
    keyHeads === valueHeads ? `${valueHeads} heads` : `${valueHeads}/${keyHeads} heads`,
  share: () => "heads",
  leaves: leavesSum,
  mixes: "tokens",
  inModel: (field) => (field === "hidden" ? [field] : ["gatedDelta", field]),
  called: "every layer of linear attention",
  buffers(layer, members, rows) {
    const columns = deltaColumns(layer) / members;
    return { weights: [layer.hidden * columns], activations: [rows * columns] };
  },
} satisfies PlanLayer<GatedDeltaLayer, z.infer<typeof schema>>;
