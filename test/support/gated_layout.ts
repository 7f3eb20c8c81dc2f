// Qwen3-Next's attention in a checkpoint: head by head the rows of its query, then those of what gates its result.

import { type Layout, llama } from "./checkpoint_layouts.ts";
import { named, rowsOfWeight, stacked, transposed, type WholeWeight } from "./hashed_weights.ts";

const [heads, headDim] = [4, 8];

/** Of a plan of `checkpoint_layouts` with `attentionOutputGate`. */
export const gated: Layout = (weight) =>
  llama(weight).map((tensor) => {
    const [, block] = /layers\.(\d)\.self_attn\.q_proj/.exec(tensor.name) ?? [];
    if (block === undefined) return tensor;
    const own = (part: "q" | "gate"): WholeWeight =>
      transposed(weight(`blocks/${2 + 6 * Number(block)}.attention/${part}/weight`));
    const [q, gate] = [own("q"), own("gate")];
    const rows = Array.from({ length: heads }, (_, head) =>
      [q, gate].map((part) => rowsOfWeight(part, head * headDim, headDim)),
    );
    return named(tensor.name, stacked(rows.flat()));
  });
