// ZeRO from stage 2 on: no rank keeps a whole gradient. A layer's backward pass sums into memory that others use before and
// after, in which the rows of each rank begin as the sum over the micro-batches so far; then each rank gets its rows' sums.
// With communication beside computation, they are on their way while the next gradient is computed.

import type { Op } from "../../op.ts";
import { writtenBy } from "../../operands.ts";
import { partOn, type Tensor, volumeOf } from "../../tensor.ts";
import type { CollectiveOp } from "../../transfer_op.ts";
import { rowsOf } from "./own_rows.ts";
import { joinedOver, reduceScatter, type Shards } from "./shards.ts";
import {
  add,
  awaited,
  byStage,
  createPassing,
  firstSlot,
  inserted,
  type Passing,
  type ShardedUnit,
  unitsOf,
} from "./units.ts";

export function scatterGradients(
  backward: readonly Op[],
  shards: Shards,
  isOverlapped: boolean,
): Op[] {
  if (shards.stage < 2) return [...backward];
  const whole = createPassing(shards, "gradient", (place) => `of ${place}`);
  const before = new Map<number, Op[]>();
  const after = new Map<number, Op[]>();
  const units = unitsOf(backward, shards, gradientsOf);
  for (const own of byStage(units)) {
    const inOrder = own.toSorted((a, b) => a.last - b.last);
    let underWay: CollectiveOp | undefined;
    for (const [i, unit] of inOrder.entries()) {
      const { begin, end } = around(shards, unit, whole);
      // Nothing is left to be computed beside the last.
      const isStarted = isOverlapped && i < inOrder.length - 1;
      const scatter = isStarted ? { ...end, slot: firstSlot + (i % 2), isStarted } : end;
      add(before, unit.first, begin);
      add(after, unit.last, [...(underWay === undefined ? [] : [awaited(underWay)]), scatter]);
      underWay = isStarted ? scatter : undefined;
    }
  }
  const renamed = backward.map((op) => (gradientsOf(op).length === 0 ? op : whole.within(op)));
  return inserted(renamed, before, after);
}

function gradientsOf(op: Op): Tensor[] {
  return writtenBy(op).filter(({ role }) => role === "gradient");
}

function around(
  shards: Shards,
  { sharing, site }: ShardedUnit,
  whole: Passing,
): { readonly begin: Op[]; readonly end: CollectiveOp } {
  const { ranks, owners } = sharing;
  const summand = joinedOver(shards, sharing, ranks, ({ gradient }) =>
    whole.at(gradient, site.place),
  );
  const sum = joinedOver(shards, sharing, owners, (use) => shards.own(use).gradient);
  return {
    begin: [
      { op: "clear", ...site, ranks, y: summand },
      ...owners.map((rank): Op => {
        const { first } = rowsOf(sharing, rank);
        const [extent = 0, ...inner] = partOn(sum, rank)?.shape ?? [];
        // A vector in quads, a matrix for each expert below the other.
        const columns = inner.at(-1) ?? 4;
        const perUnit = inner.length === 0 ? 1 / 4 : volumeOf(inner.slice(0, -1));
        const rows = Math.ceil(extent * perUnit);
        return {
          op: "copy",
          ...site,
          ranks: [rank],
          x: sum,
          y: summand,
          xRow: 0,
          yRow: first * perUnit,
          rows,
          columns,
        };
      }),
    ],
    end: reduceScatter(sharing, site, summand, sum),
  };
}
