// Which tensors that an op touches must not lie in the same buffer. A dispatch may read and write a buffer, if all its
// bindings are writable and none overlaps another (`gpu/dispatch.ts`), and a copy may not begin and end in one.

import { kernelOf } from "../../kernels/catalog.ts";
import { bindingsOf } from "../../kernels/kernel.ts";
import type { Op } from "../op.ts";
import { isTransfer, type Transfer } from "../transfer_op.ts";
import { nameOn, type View } from "../tensor.ts";
import { type KernelOp, kernelCallOf } from "./kernel_call.ts";

/** Names on the rank: what an op reads, and what it writes in another buffer. */
export type Pair = readonly [read: string, written: string];

export function apartOn(op: Op, rank: number): Pair[] {
  if (isTransfer(op)) return keepsPiece(op, rank) ? ofCopy(op, rank) : [];
  switch (op.op) {
    case "input":
    case "observe":
    case "done":
      return [];
    case "copy":
      return [[nameOn(op.x, rank), nameOn(op.y, rank)]];
    default:
      return ofKernel(op, rank);
  }
}

/** Whether a part of what the rank sends is copied to where it receives. Sums have their own summand in a workspace. */
function keepsPiece(op: Transfer, rank: number): boolean {
  if (!op.from.includes(rank) || !op.to.includes(rank)) return false;
  if (op.op !== "collective" || op.from.length < 2) return true;
  return op.amount.kind !== "all-reduce" && op.amount.kind !== "reduce-scatter";
}

function ofCopy(op: Transfer, rank: number): Pair[] {
  const [x, y] = op.op === "collective" ? [op.x.tensor, op.y.tensor] : [op.x, op.y];
  const [read, written] = [nameOn(x, rank), nameOn(y, rank)];
  // A collective in place leaves its own piece where it is.
  return read === written ? [] : [[read, written]];
}

function ofKernel(op: KernelOp, rank: number): Pair[] {
  const { call, operands } = kernelCallOf(op, rank);
  const bound = bindingsOf(kernelOf(call), call.shape).flatMap((binding, i) => {
    const view = operands[i];
    return view === undefined ? [] : [{ binding, view, name: nameOn(view.tensor, rank) }];
  });
  const read = bound.filter(({ binding }) => binding.access === "read");
  const readOnly = read.filter(
    (one) =>
      one.binding.isUniform === true ||
      read.some(
        (other) => other !== one && other.name === one.name && overlap(one.view, other.view),
      ),
  );
  return readOnly.flatMap(({ name }) =>
    bound.flatMap((other): Pair[] => (other.binding.access === "read" ? [] : [[name, other.name]])),
  );
}

function overlap({ window: a }: View, { window: b }: View): boolean {
  if (a === undefined || b === undefined) return true;
  return a.first < b.first + b.rows && b.first < a.first + a.rows;
}
