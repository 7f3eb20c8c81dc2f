// A residual and the norm of its sum, one right after the other on a rank, become one op, which counts to the norm's
// layer: one launch and one pass over memory less.

import { type AddOp, addsToItself, type NormOp } from "../row_op.ts";
import type { Op } from "../op.ts";

export function fuseNorms(ops: readonly Op[]): Op[] {
  const fused: (Op | undefined)[] = [];
  /** Index of the last op of each rank. */
  const lastOf = new Map<number, number>();
  for (const op of ops) {
    let own: Op = op;
    if (op.op === "norm") {
      const at = lastOf.get(op.ranks[0] ?? -1) ?? -1;
      const before = fused[at];
      const isNext = op.ranks.every((rank) => lastOf.get(rank) === at);
      const isSum = before?.op === "add" && !addsToItself(before);
      if (isSum && before.y.tensor === op.x.tensor && isNext) {
        const { a, b, scale } = before;
        own = { ...op, sumOf: [a, b], ...(scale === undefined ? {} : { scale }) };
        // Ranks that only add still do.
        fused[at] = without(before, op);
      }
    }
    for (const rank of own.ranks) lastOf.set(rank, fused.length);
    fused.push(own);
  }
  return fused.flatMap((op) => op ?? []);
}

function without(sum: AddOp, { ranks }: NormOp): AddOp | undefined {
  const left = sum.ranks.filter((rank) => !ranks.includes(rank));
  return left.length === 0 ? undefined : { ...sum, ranks: left };
}
