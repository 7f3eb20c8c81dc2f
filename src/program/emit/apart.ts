// Which tensors that an op touches must not lie in the same buffer, or had better not. A dispatch may read and write a
// buffer, if all its bindings are writable and none overlaps another (`gpu/dispatch.ts`). A copy may not begin and end in
// one: it takes another buffer on its way.

import { kernelOf } from "../../kernels/catalog.ts";
import { bindingsOf } from "../../kernels/kernel.ts";
import type { Op } from "../op.ts";
import { isTransfer, type Transfer } from "../transfer_op.ts";
import { nameOn, type View } from "../tensor.ts";
import { type KernelOp, kernelCallOf } from "./kernel_call.ts";

/** Names on the rank: what an op reads, and what it writes. */
type NamePair = readonly [read: string, written: string];

export interface Demands {
  /** In different buffers. */
  readonly apart: readonly NamePair[];
  /** Copied on the rank. */
  readonly copied: readonly NamePair[];
  /** Names of tables that are bound read-only, whatever else is bound: nothing that is written lies in their buffer. */
  readonly uniform: readonly string[];
}

const none: Demands = { apart: [], copied: [], uniform: [] };

export function demandsOn(op: Op, rank: number): Demands {
  if (isTransfer(op)) {
    return keepsPiece(op, rank) ? { ...none, copied: ofTransfer(op, rank) } : none;
  }
  switch (op.op) {
    case "input":
    case "observe":
    case "done":
      return none;
    case "copy":
      return { ...none, copied: [[nameOn(op.x, rank), nameOn(op.y, rank)]] };
    default:
      return ofKernel(op, rank);
  }
}

/** Whether a part of what the rank sends is copied to where it receives. Sums have their own summand in a workspace. */
export function keepsPiece(op: Transfer, rank: number): boolean {
  if (!op.from.includes(rank) || !op.to.includes(rank)) return false;
  if (op.op !== "collective" || op.from.length < 2) return true;
  return op.amount.kind !== "all-reduce" && op.amount.kind !== "reduce-scatter";
}

function ofTransfer(op: Transfer, rank: number): NamePair[] {
  const [x, y] = op.op === "collective" ? [op.x.tensor, op.y.tensor] : [op.x, op.y];
  const [read, written] = [nameOn(x, rank), nameOn(y, rank)];
  // A collective in place leaves its own piece where it is.
  return read === written ? [] : [[read, written]];
}

function ofKernel(op: KernelOp, rank: number): Demands {
  const { call, operands } = kernelCallOf(op, rank);
  const bound = bindingsOf(kernelOf(call), call.shape).flatMap((binding, i) => {
    const view = operands[i];
    return view === undefined ? [] : [{ binding, view, name: nameOn(view.tensor, rank) }];
  });
  const read = bound.filter(({ binding }) => binding.access === "read");
  const written = bound.filter(({ binding }) => binding.access !== "read");
  const readTwice = read.filter((one) =>
    read.some((other) => other !== one && other.name === one.name && overlap(one.view, other.view)),
  );
  return {
    apart: readTwice.flatMap(({ name }) => written.map((other): NamePair => [name, other.name])),
    copied: [],
    uniform: read.flatMap(({ binding, name }) => (binding.isUniform === true ? [name] : [])),
  };
}

function overlap({ window: a }: View, { window: b }: View): boolean {
  if (a === undefined || b === undefined) return true;
  return a.first < b.first + b.rows && b.first < a.first + a.rows;
}
