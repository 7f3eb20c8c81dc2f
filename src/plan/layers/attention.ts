// Attention with its projections.

import { z } from "zod";
import { count } from "../schema_numbers.ts";
import { type LayerBase, leavesSum, type PlanLayer } from "./layer.ts";
import { parallel } from "./parallel.ts";

/**
 * Attention through low-rank projections (DeepSeek V2, V3). `headDim` of the model is the part of a
 * head's query and key without positions; the rotary part of the key is shared by all heads.
 */
export interface LatentAttention {
  /** Absent: queries are projected at full rank. */
  readonly queryRank?: number;
  readonly keyValueRank: number;
  /** Of a head's query and key, beside `headDim`. */
  readonly rotaryDim: number;
  /** Of a head's value. */
  readonly valueDim: number;
}

/** QKV column-parallel over heads, fused attention, output row-parallel, all-reduce. */
export interface AttentionLayer extends LayerBase {
  readonly op: "attention";
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly causal: boolean;
  /** Described and counted; cannot run yet. */
  readonly latent?: LatentAttention;
}

const schema = z.strictObject({
  op: z.literal("attention"),
  hidden: count,
  heads: count,
  kvHeads: count.exactOptional(),
  headDim: count.exactOptional(),
  causal: z.boolean().exactOptional(),
  parallel,
});

export const attention = {
  schema,
  kinds: ["tensor", "data"],
  read({ parallel: _, ...rest }, base): AttentionLayer {
    // Where hidden is no multiple of heads, a rule says so.
    const headDim = Math.max(1, Math.floor(rest.hidden / rest.heads));
    return { ...base, kvHeads: rest.heads, headDim, causal: true, ...rest };
  },
  write: (layer, { gpus }) => ({ ...layer, parallel: { kind: "tensor", gpus } }),
  inputWidth: ({ hidden }) => hidden,
  outputWidth: ({ hidden }) => hidden,
  detail: ({ heads, kvHeads }) =>
    heads === kvHeads ? `${heads} heads` : `${heads}/${kvHeads} heads`,
  share: () => "heads",
  leaves: leavesSum,
  mixes: "tokens",
  buffers({ hidden, heads, headDim }, members, rows) {
    const columns = (headDim * heads) / members;
    return [hidden * columns, rows * columns];
  },
} satisfies PlanLayer<AttentionLayer, z.infer<typeof schema>>;
