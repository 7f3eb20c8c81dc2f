// Activations that are computed again rather than kept (Chen et al. 2016; Korthikanti et al. 2022). Full: of a run of
// blocks only the input is kept, and all of its forward ops come again before its backward ops. Selective: attention
// comes again, from the queries, keys and values that it read. What comes again is written to memory of its own, which
// the backward ops read: then nothing holds the first results beyond their forward slot.

import type { RecomputedPart } from "../../plan/recomputed_parts.ts";
import type { Op } from "../op.ts";
import { isTransfer } from "../transfer_op.ts";
import { mapTensors, writtenBy } from "../operands.ts";
import type { OpOrigin } from "../program.ts";
import type { Places } from "../schedule/place.ts";
import type { Tensor } from "../tensor.ts";
import type { DifferentiatedOps } from "./synthesize_backward.ts";

/** The backward ops with what is computed again before those that read it. */
export function recompute(
  { forward, backward }: DifferentiatedOps,
  parts: readonly RecomputedPart[],
  places: Places,
): Op[] {
  const partOf = new Map(parts.flatMap((part) => part.layers.map((layer) => [layer, part])));
  const againOf = createAgain(forward, partOf, places);
  const done = new Set<RecomputedPart>();
  return backward.flatMap((op) => {
    const part = isTransfer(op) ? undefined : partOf.get(op.place);
    if (part === undefined) return [op];
    const { ops, rename } = againOf(part);
    const own = rename(op);
    if (done.has(part)) return [own];
    done.add(part);
    return [...ops, own];
  });
}

interface Again {
  readonly ops: readonly Op[];
  /** The op as it reads and writes what was computed again. */
  readonly rename: (op: Op) => Op;
}

function createAgain(
  forward: readonly Op[],
  partOf: ReadonlyMap<string, RecomputedPart>,
  places: Places,
) {
  const opsOf = new Map<RecomputedPart, Op[]>();
  for (const op of forward) {
    const part = partOf.get(op.place);
    if (part === undefined || !comesAgain(op, part, places)) continue;
    opsOf.set(part, [...(opsOf.get(part) ?? []), op]);
  }
  const known = new Map<RecomputedPart, Again>();
  const origins = new Map<OpOrigin, OpOrigin>();
  const originOf = (origin: OpOrigin): OpOrigin => {
    const own = origins.get(origin) ?? { ...origin, phase: "backward", isRecomputed: true };
    origins.set(origin, own);
    return own;
  };
  return (part: RecomputedPart): Again => {
    const found = known.get(part) ?? computedAgain(opsOf.get(part) ?? [], originOf);
    known.set(part, found);
    return found;
  };
}

function comesAgain(op: Op, { granularity }: RecomputedPart, places: Places): boolean {
  if (granularity === "selective") return isAttention(op);
  if (op.op === "input" || op.op === "observe") return false;
  // What came from another stage is the input, and is kept.
  const stages = new Set(op.ranks.map((rank) => places.stageOf(rank, op.origin)));
  return stages.size === 1;
}

function isAttention(op: Op): boolean {
  switch (op.op) {
    case "attention":
    case "pack-keys-values":
    case "attention-block":
      return true;
    case "collective":
    case "done":
      return op.isOfRing === true;
    default:
      return false;
  }
}

function computedAgain(forward: readonly Op[], originOf: (origin: OpOrigin) => OpOrigin): Again {
  const ops = startingAtSum(forward);
  const written = new Set(
    ops.flatMap((op) =>
      writtenBy(op)
        .filter(isOwn)
        .map(({ name }) => name),
    ),
  );
  const known = new Map<Tensor, Tensor>();
  const again = (tensor: Tensor): Tensor => {
    if (!isOwn(tensor) || !written.has(tensor.name)) return tensor;
    const own = known.get(tensor) ?? { ...tensor, name: nameAgain(tensor.name) };
    known.set(tensor, own);
    return own;
  };
  const rename = (op: Op): Op => mapTensors(op, again);
  return {
    ops: ops.map((op) => withChannel({ ...rename(op), origin: originOf(op.origin) })),
    rename,
  };
}

function isOwn({ role, slot }: Tensor): boolean {
  return role === "activation" && slot === undefined;
}

function nameAgain(name: string): string {
  return `${name}/recomputed`;
}

/** Transfers of their own, which those of the forward pass are told apart from. */
function withChannel(op: Op): Op {
  if (op.op !== "done" && !isTransfer(op)) return op;
  const own = { ...op, name: nameAgain(op.name), channelName: nameAgain(op.channelName) };
  return "dispatchName" in own ? { ...own, dispatchName: nameAgain(own.dispatchName) } : own;
}

/** A norm that also makes the sum it reads, from what comes from before, reads the sum, which is the part's input. */
function startingAtSum(ops: readonly Op[]): Op[] {
  const own = new Set<string>();
  return ops.map((op) => {
    const isFirst =
      op.op === "norm" && op.sumOf?.every(({ tensor }) => !own.has(tensor.name)) === true;
    for (const { name } of writtenBy(op)) own.add(name);
    if (op.op !== "norm" || !isFirst) return op;
    own.delete(op.x.tensor.name);
    const { sumOf: _, ...norm } = op;
    return norm;
  });
}
