// ZeRO stage 3 (FSDP): no rank keeps a whole weight. Before a layer's ops of a pass it is gathered into memory that others
// use before and after. With communication beside computation, the next layer's weights are on their way meanwhile.

import type { Op } from "../../op.ts";
import { readBy } from "../../operands.ts";
import type { Tensor } from "../../tensor.ts";
import type { CollectiveOp } from "../../transfer_op.ts";
import { allGather, joinedOver, type Shards } from "./shards.ts";
import {
  add,
  awaited,
  byStage,
  createPassing,
  firstSlot,
  inserted,
  type ShardedUnit,
  unitsOf,
} from "./units.ts";

export interface GatherOptions {
  /** Of the list. */
  readonly phase: "forward" | "backward";
  readonly isOverlapped: boolean;
}

export function gatherWeights(
  ops: readonly Op[],
  shards: Shards,
  { phase, isOverlapped }: GatherOptions,
): Op[] {
  if (shards.stage < 3) return [...ops];
  const whole = createPassing(shards, "weight", (place) => `${phase} of ${place}`);
  const gather = ({ sharing, site }: ShardedUnit): CollectiveOp => {
    const own = joinedOver(shards, sharing, sharing.owners, (use) => shards.own(use).weight);
    const all = joinedOver(shards, sharing, sharing.ranks, ({ weight }) =>
      whole.at(weight, site.place),
    );
    return allGather(sharing, site, own, all);
  };
  const units = unitsOf(ops, shards, weightsOf);
  const before = isOverlapped ? prefetched(units, gather) : gathered(units, gather);
  const renamed = ops.map((op) => (weightsOf(op).length === 0 ? op : whole.within(op)));
  return inserted(renamed, before, new Map());
}

function weightsOf(op: Op): Tensor[] {
  return readBy(op).filter(({ role }) => role === "weight");
}

function gathered(
  units: readonly ShardedUnit[],
  gather: (unit: ShardedUnit) => CollectiveOp,
): ReadonlyMap<number, readonly Op[]> {
  const before = new Map<number, Op[]>();
  for (const unit of units) add(before, unit.first, [gather(unit)]);
  return before;
}

/** Two sums of gradients may be under way, too. */
const gatherSlot = firstSlot + 2;

/** Where a layer's weights are awaited, the next layer's are sent for. */
function prefetched(
  units: readonly ShardedUnit[],
  gather: (unit: ShardedUnit) => CollectiveOp,
): ReadonlyMap<number, readonly Op[]> {
  const before = new Map<number, Op[]>();
  for (const ofStage of byStage(units)) {
    const layers = byLayer(ofStage);
    const most = Math.max(...layers.map((own) => own.length));
    const started = layers.map((own, i) =>
      own.map((unit, j): CollectiveOp => ({
        ...gather(unit),
        slot: gatherSlot + (i % 2) * most + j,
        isStarted: true,
      })),
    );
    for (const [i, own] of layers.entries()) {
      const at = Math.min(...own.map(({ first }) => first));
      add(before, at, [...(i === 0 ? (started[0] ?? []) : []), ...(started[i + 1] ?? [])]);
      for (const [j, { first }] of own.entries()) {
        const gathering = started[i]?.[j];
        if (gathering !== undefined) add(before, first, [awaited(gathering)]);
      }
    }
  }
  return before;
}

function byLayer(units: readonly ShardedUnit[]): (readonly ShardedUnit[])[] {
  const layers = new Map<string, ShardedUnit[]>();
  for (const unit of units) {
    const { place } = unit.site;
    layers.set(place, [...(layers.get(place) ?? []), unit]);
  }
  return [...layers.values()];
}
