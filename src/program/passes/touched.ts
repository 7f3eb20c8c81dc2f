// Which tensors an op reads and which it writes on each of its ranks.

import { type Op, readBy, type Transfer, writtenBy } from "../op.ts";
import type { Tensor } from "../tensor.ts";

export interface Touched {
  readonly read: readonly Tensor[];
  readonly written: readonly Tensor[];
}

export function touchedOn(op: Op, rank: number): Touched {
  switch (op.op) {
    case "collective":
    case "expert-dispatch":
    case "expert-combine":
      return touchedByTransfer(op, rank);
    default:
      return { read: readBy(op), written: writtenBy(op) };
  }
}

const touchedByTransfer = (op: Transfer, rank: number): Touched => {
  const sends = op.from.includes(rank);
  const receives = op.to.includes(rank);
  if (op.op === "collective") {
    return { read: sends ? [op.x.tensor] : [], written: receives ? [op.y.tensor] : [] };
  }
  const isDispatch = op.op === "expert-dispatch";
  return {
    read: sends ? [op.x, ...(isDispatch ? [op.counts] : [])] : [],
    written: [
      ...(receives ? [op.y, ...(isDispatch ? [op.offsets] : [])] : []),
      ...(sends && isDispatch ? [op.kept] : []),
    ],
  };
};
