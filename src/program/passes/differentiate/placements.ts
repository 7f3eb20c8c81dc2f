// How each op's operands and results lie on its ranks, found from the inputs on: whether members of a group hold the
// same or each a part. The gradient of what all hold and each uses for a part of the result is a sum over the group.

import type { PlacementKind } from "../../../plan/placement.ts";
import type { Op } from "../../op.ts";
import { readBy, writtenBy } from "../../operands.ts";
import { partOn, type Tensor } from "../../tensor.ts";
import { isTransfer } from "../../transfer_op.ts";
import { NotDifferentiable } from "./not_differentiable.ts";

export interface OpPlacement {
  /** Of an operand; weights too. */
  readonly of: (operand: Tensor) => PlacementKind;
  readonly result: PlacementKind;
}

/** @throws Error for an op of which it is not known how it places its result */
export function placementsOf(ops: readonly Op[]): Map<Op, OpPlacement> {
  const known = new Map<string, PlacementKind>();
  const keyOf = ({ name }: Tensor, rank: number): string => `${rank} ${name}`;
  const found = new Map<Op, OpPlacement>();
  for (const op of ops) {
    const reader = isTransfer(op) ? op.from : op.ranks;
    const own = new Map<string, PlacementKind>();
    for (const tensor of readBy(op)) {
      const kind = known.get(keyOf(tensor, reader[0] ?? 0));
      own.set(tensor.name, kind ?? heldAs(tensor, reader));
    }
    const of = (operand: Tensor): PlacementKind => own.get(operand.name) ?? "replicate";
    const result = op.ranks.length === 1 ? ofOne(op) : resultOf(op, of);
    found.set(op, { of, result });
    for (const tensor of writtenBy(op)) {
      const writers = isTransfer(op) ? op.to : op.ranks;
      for (const rank of writers) known.set(keyOf(tensor, rank), result);
    }
  }
  return found;
}

/** Of a mixture of experts each rank of a group has its own tokens, or of all tokens a summand. */
function ofOne(op: Op): PlacementKind {
  if (op.op !== "unpermute") return "replicate";
  return op.slices === undefined ? "rows" : "partial";
}

/** A weight or an input: by the rectangles of it that the ranks hold. */
function heldAs(tensor: Tensor, ranks: readonly number[]): PlacementKind {
  const starts = ranks.map((rank) => {
    const content = partOn(tensor, rank)?.content;
    const region = content?.kind === "beside" ? content.parts[0] : content;
    return region?.offset ?? [];
  });
  const [first = []] = starts;
  const differsIn = (axis: number): boolean => starts.some((start) => start[axis] !== first[axis]);
  if (first.length > 1 && differsIn(first.length - 1)) return "columns";
  if (differsIn(0)) return tensor.role === "weight" && first.length === 1 ? "columns" : "rows";
  return "replicate";
}

function resultOf(op: Op, of: (operand: Tensor) => PlacementKind): PlacementKind {
  switch (op.op) {
    case "input":
      return heldAs(op.y, op.ranks);
    case "matmul": {
      const w = of(op.w);
      // A tied head multiplies with rows of the table.
      const isColumns = op.isTransposed === true ? w === "rows" : w === "columns";
      if (isColumns) return "columns";
      return w === "rows" || w === "columns" ? "partial" : of(op.x.tensor);
    }
    case "embedding": {
      const table = of(op.table);
      return table === "rows" ? "partial" : table;
    }
    case "attention":
    case "pack-keys-values":
    case "attention-block":
      return of(op.qkv);
    case "norm":
      return op.sumOf === undefined ? of(op.x.tensor) : of(op.sumOf[0].tensor);
    case "activation":
      return of(op.x.tensor);
    case "add":
      return of(op.a.tensor);
    case "rotary":
    case "mean-squares":
    case "causal-conv":
    case "gated-delta":
    case "aggregate":
    case "copy":
      return of(op.x);
    case "slice-columns":
      return "columns";
    case "gather-columns":
      return "replicate";
    case "collective":
      return op.amount.kind === "reduce-scatter" ? "rows" : "replicate";
    case "expert-dispatch":
    case "expert-combine":
      return "rows";
    case "observe":
    case "done":
      return "replicate";
    case "loss-statistics":
      return of(op.logits);
    case "cross-entropy":
      return of(op.logits);
    case "squared-error":
      return of(op.x);
    default:
      throw new NotDifferentiable(`${op.origin.layer}: ${op.op}`);
  }
}
