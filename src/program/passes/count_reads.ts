// How often each rank's buffers are read.

import type { Op } from "../op.ts";
import { readBy } from "../operands.ts";
import type { Tensor } from "../tensor.ts";

export function countReads(ops: readonly Op[]): (tensor: Tensor, rank: number) => number {
  const reads = new Map<string, Map<number, number>>();
  for (const op of ops) {
    for (const { name } of readBy(op)) {
      const own = reads.get(name) ?? new Map<number, number>();
      reads.set(name, own);
      for (const rank of op.ranks) own.set(rank, 1 + (own.get(rank) ?? 0));
    }
  }
  return ({ name }, rank) => reads.get(name)?.get(rank) ?? 0;
}
