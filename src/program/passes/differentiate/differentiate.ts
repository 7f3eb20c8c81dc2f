// The backward pass: from the loss to the weights, one rule per op, in the reverse order of the forward pass (reverse-mode
// differentiation). What an op reads gets a summand of its gradient; the op that wrote a tensor takes the sum of them. A
// summand that each rank of a group has a part of is summed over the group there, and no earlier.

import type { CopyOp, Op } from "../../op.ts";
import { readBy, writtenBy } from "../../operands.ts";
import type { OpOrigin } from "../../program.ts";
import { nameOn, type Tensor, whole } from "../../tensor.ts";
import { type CollectiveOp, isTransfer } from "../../transfer_op.ts";
import { attentionGradients, rotaryGradients } from "./attention.ts";
import { createBook } from "./book.ts";
import {
  expertTransferGradients,
  groupedMatmulGradients,
  permuteGradients,
  routeGradients,
  unpermuteGradients,
} from "./experts.ts";
import {
  addGradients,
  aggregateGradients,
  embeddingGradients,
  lossGradients,
  normGradients,
} from "./layers.ts";
import { copyGradients } from "./copied_rows.ts";
import { placementsOf } from "./placements.ts";
import { activationGradients, matmulGradients } from "./products.ts";
import { blockGradients, ringGradients } from "./ring.ts";
import {
  collectiveGradients,
  gatherColumnsGradients,
  sliceColumnsGradients,
  type Woven,
} from "./transfers.ts";
import { NotDifferentiable } from "./not_differentiable.ts";
import { backwardOrigins, channel, type Walk, type WeightUse } from "./walk.ts";

export interface Differentiated {
  /** In an order in which every rank could run them. */
  readonly backward: readonly Op[];
  readonly uses: readonly WeightUse[];
}

/** @throws NotDifferentiable where an op has no rule */
export function differentiate(forward: readonly Op[]): Differentiated {
  const backward: Op[] = [];
  const originOf = backwardOrigins();
  const placements = placementsOf(forward);
  const isWanted = wanted(forward);
  const uses: WeightUse[] = [];
  const walk: Walk = {
    book: createBook(),
    emit: (op) => void backward.push(op),
    siteOf: ({ origin, place }) => ({ origin: originOf(origin), place }),
    isWanted,
    placementOf: (op) => {
      const found = placements.get(op);
      if (found === undefined) throw new Error(`${op.op} is no op of the forward pass`);
      return found;
    },
    uses,
    asRead: gatheredAgain(forward, (op) => void backward.push(op), originOf),
    valuesOf: new Map(),
    rings: new Map(),
    sent: new Set(),
    sentOnAs: new Map(),
    keptOf: new Map(),
    rowsTaken: rowsTaken(forward),
  };
  const woven: Woven = new Map();
  for (const op of forward.toReversed()) differentiateOp(walk, op, woven);
  return { backward, uses };
}

function differentiateOp(walk: Walk, op: Op, woven: Woven): void {
  switch (op.op) {
    case "input":
    case "observe":
    case "route-positions":
    case "loss-statistics":
    // A part of the rule of the norm that reads them.
    case "mean-squares":
      return;
    case "done":
      if (op.isOfRing === true) return;
      throw new NotDifferentiable(`${op.origin.layer}: ${op.op}`);
    case "cross-entropy":
    case "squared-error":
      return lossGradients(walk, op);
    case "matmul":
      return matmulGradients(walk, op);
    case "activation":
      return activationGradients(walk, op);
    case "norm":
      return normGradients(walk, op);
    case "add":
      return addGradients(walk, op);
    case "attention":
      return attentionGradients(walk, op);
    case "attention-block":
      return blockGradients(walk, op);
    case "pack-keys-values":
      return ringGradients(walk, op);
    case "rotary":
      return rotaryGradients(walk, op);
    case "aggregate":
      return aggregateGradients(walk, op);
    case "embedding":
      return embeddingGradients(walk, op);
    case "collective":
      return collectiveGradients(walk, op, woven);
    case "gather-columns":
      return gatherColumnsGradients(walk, op, woven);
    case "slice-columns":
      return sliceColumnsGradients(walk, op);
    case "copy":
      return copyGradients(walk, op);
    case "route":
      return routeGradients(walk, op);
    case "permute":
      return permuteGradients(walk, op);
    case "unpermute":
      return unpermuteGradients(walk, op);
    case "grouped-matmul":
      return groupedMatmulGradients(walk, op);
    case "expert-dispatch":
    case "expert-combine":
      return expertTransferGradients(walk, op);
    default:
      throw new NotDifferentiable(`${op.origin.layer}: ${op.op}`);
  }
}

/** Whether a rank's tensor comes from a weight: the gradient of an input is nobody's. */
function wanted(forward: readonly Op[]): Walk["isWanted"] {
  const found = new Set<string>();
  const keyOf = (tensor: Tensor, rank: number): string => `${rank} ${nameOn(tensor, rank)}`;
  const isWanted: Walk["isWanted"] = (tensor, rank) => found.has(keyOf(tensor, rank));
  for (const op of forward) {
    const readers = isTransfer(op) ? op.from : op.ranks;
    const read = readBy(op);
    const comesFromWeight =
      !isTransfer(op) && read.some(({ role }) => role === "weight")
        ? true
        : read.some((tensor) => readers.some((rank) => isWanted(tensor, rank)));
    if (!comesFromWeight) continue;
    const writers = isTransfer(op) ? op.to : op.ranks;
    for (const tensor of writtenBy(op)) for (const rank of writers) found.add(keyOf(tensor, rank));
  }
  return isWanted;
}

/** Of ranks that take each its rows of a tensor: all of them. */
function rowsTaken(forward: readonly Op[]): Walk["rowsTaken"] {
  const found = new Map<Tensor, CopyOp[]>();
  for (const op of forward) {
    if (op.op !== "copy") continue;
    const own = found.get(op.x) ?? [];
    found.set(op.x, own);
    own.push(op);
  }
  return ({ x }) => found.get(x) ?? [];
}

/**
 * Rows that are gathered for one layer share a buffer with those for the next: as in Megatron-LM, the backward pass gathers
 * them again, once for all products that read them.
 */
function gatheredAgain(
  forward: readonly Op[],
  emit: (op: Op) => void,
  originOf: (origin: OpOrigin) => OpOrigin,
): Walk["asRead"] {
  const writers = new Map<string, Op>();
  const writerOf = new Map<Op, Map<string, CollectiveOp>>();
  for (const op of forward) {
    for (const tensor of readBy(op)) {
      const writer = writers.get(`${op.ranks[0]} ${tensor.name}`);
      if (tensor.role !== "workspace" || writer?.op !== "collective") continue;
      const own = writerOf.get(op) ?? new Map<string, CollectiveOp>();
      writerOf.set(op, own);
      own.set(tensor.name, writer);
    }
    for (const { name } of writtenBy(op))
      for (const rank of op.ranks) writers.set(`${rank} ${name}`, op);
  }
  const known = new Map<CollectiveOp, Tensor>();
  return (op, tensor) => {
    const writer = writerOf.get(op)?.get(tensor.name);
    if (writer === undefined) return tensor;
    const found = known.get(writer);
    if (found !== undefined) return found;
    const again: Tensor = { ...tensor, name: `${writer.name}/again`, role: "activation" };
    known.set(writer, again);
    emit({
      ...writer,
      origin: originOf(writer.origin),
      ...channel(again.name),
      y: whole(again),
    });
    return again;
  };
}
