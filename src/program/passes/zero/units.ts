// A unit: one part of a weight at one layer that uses it. Around its ops among those of a pass stand its transfers.

import type { Op } from "../../op.ts";
import { mapTensors } from "../../operands.ts";
import type { OpOrigin } from "../../program.ts";
import { nameOn, partOn, type Tensor } from "../../tensor.ts";
import type { CollectiveOp } from "../../transfer_op.ts";
import type { Shards } from "./shards.ts";
import type { Sharing } from "./sharing.ts";

export interface ShardedUnit {
  readonly sharing: Sharing;
  readonly site: { readonly origin: OpOrigin; readonly place: string };
  /** Of its ops in the list. */
  readonly first: number;
  last: number;
}

/** In the order of their first ops. @param of the weights, or their gradients, that an op uses */
export function unitsOf(
  ops: readonly Op[],
  { sharedAs }: Shards,
  of: (op: Op) => readonly Tensor[],
): ShardedUnit[] {
  const found = new Map<string, ShardedUnit>();
  for (const [at, op] of ops.entries()) {
    for (const tensor of of(op)) {
      for (const rank of op.ranks) {
        const sharing = sharedAs(rank, nameOn(tensor, rank))?.sharing;
        if (sharing === undefined) continue;
        const key = `${op.place} ${sharing.ranks.join()} ${sharing.key}`;
        const unit = found.get(key);
        if (unit === undefined) {
          const { isRecomputed: _, ...origin } = op.origin;
          const site = { origin, place: op.place };
          found.set(key, { sharing, site, first: at, last: at });
        } else unit.last = at;
      }
    }
  }
  return [...found.values()];
}

/** Only the passes of one stage follow each other on its ranks. */
export function byStage(units: readonly ShardedUnit[]): (readonly ShardedUnit[])[] {
  const stages = new Map<string, ShardedUnit[]>();
  for (const unit of units) {
    const { stage } = unit.site.origin;
    stages.set(stage, [...(stages.get(stage) ?? []), unit]);
  }
  return [...stages.values()];
}

/** Staging of blocks of rows that layers have under way at the same time comes first. */
export const firstSlot = 4;

export function awaited({ origin, place, ranks, name, channelName }: CollectiveOp): Op {
  return { op: "done", origin, place, ranks, name, channelName };
}

/** The whole of what ranks share, while a layer uses it. */
export interface Passing {
  at(tensor: Tensor, place: string): Tensor;
  /** An op with it in place of the weights, or gradients, that are shared. */
  within(op: Op): Op;
}

/**
 * Of an activation's role, as others take its place before and after; one tensor for each place.
 *
 * @param suffixAt of its name
 */
export function createPassing(
  { sharedAs }: Shards,
  role: "weight" | "gradient",
  suffixAt: (place: string) => string,
): Passing {
  const known = new Map<string, Tensor>();
  const isShared = (rank: number, tensor: Tensor): boolean =>
    sharedAs(rank, nameOn(tensor, rank)) !== undefined;
  const passing = (tensor: Tensor, suffix: string): Tensor => {
    const ranks = tensor.parts.ranks.filter((rank) => isShared(rank, tensor));
    const held = ranks.map((rank) => ({
      shape: [],
      ...partOn(tensor, rank),
      name: `${nameOn(tensor, rank)}/${suffix}`,
    }));
    const name = `${tensor.name}/${suffix}`;
    return { ...tensor, name, role: "activation", parts: { ranks, held } };
  };
  const at = (tensor: Tensor, place: string): Tensor => {
    const key = `${place} ${tensor.name} ${tensor.parts.ranks.join()}`;
    const found = known.get(key) ?? passing(tensor, suffixAt(place));
    known.set(key, found);
    return found;
  };
  return {
    at,
    within: (op) =>
      mapTensors(op, (tensor) =>
        tensor.role === role && isShared(op.ranks[0] ?? 0, tensor) ? at(tensor, op.place) : tensor,
      ),
  };
}

/** The list with ops before and after some of its own. */
export function inserted(
  ops: readonly Op[],
  before: ReadonlyMap<number, readonly Op[]>,
  after: ReadonlyMap<number, readonly Op[]>,
): Op[] {
  return ops.flatMap((op, at) => [...(before.get(at) ?? []), op, ...(after.get(at) ?? [])]);
}

export function add(to: Map<number, Op[]>, at: number, ops: readonly Op[]): void {
  to.set(at, [...(to.get(at) ?? []), ...ops]);
}
