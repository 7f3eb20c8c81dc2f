// Attention in three kernels, as it is without a fused one: the scores of all queries and keys, their softmax, and the
// values by these weights. Scores and weights are f32 and go through memory. It comes behind the passes that know
// attention; a backward pass makes scores again either way.

import type { AttentionOp } from "../attention_op.ts";
import type { Op } from "../op.ts";
import { partOn, shapesOn, type Tensor } from "../tensor.ts";

/** Attention with sinks stays fused. */
export function unfuseAttention(ops: readonly Op[]): Op[] {
  return ops.flatMap((op) => (op.op === "attention" && op.sinks === undefined ? parts(op) : [op]));
}

function parts(attention: AttentionOp): Op[] {
  const { y, ...op } = attention;
  const { origin, place, ranks } = op;
  const [scores, weights] = [scoreTensor(attention, "scores"), scoreTensor(attention, "weights")];
  return [
    { ...op, op: "attention-scores", y: scores },
    { op: "softmax", origin, place, ranks, x: scores, y: weights },
    { ...op, op: "attention-values", weights, y },
  ];
}

/** [rows · heads, sequence] */
function scoreTensor({ qkv, y, heads, sequence, ranks }: AttentionOp, what: string): Tensor {
  return {
    name: `${y.name}/${what}`,
    layer: y.layer,
    role: "activation",
    dtype: "f32",
    parts: shapesOn(ranks, (member) => {
      const [rows = 0] = partOn(qkv, ranks[member] ?? -1)?.shape ?? [];
      return [rows * heads, sequence];
    }),
  };
}
