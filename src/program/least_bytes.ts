// The least bytes that any algorithm must bring to a rank of a collective: what its result is read for, less what the
// rank holds before.

import { bytesPerElement } from "../kernels/storage.ts";
import { type Layer, planLayerOf, readsAgain } from "../plan/layers/layers.ts";
import type { Plan, Stage } from "../plan/plan.ts";
import { reduces } from "./exchange/sums.ts";
import { layerName } from "./plan_ops.ts";
import type { Collective } from "./program.ts";

/**
 * - `unread`: columns that the row split which follows does not read there
 * - `held`: tokens that the GPU has already
 * - `added-again`: summands that another GPU could have added before
 */
export type Excess = "unread" | "held" | "added-again";

/** Where a layer stands. */
export interface LayerPlace {
  readonly stage: Stage;
  readonly layer: Layer;
  readonly at: number;
}

/**
 * In bytes, and why more than that may arrive.
 *
 * @param received what does arrive
 * @param place of the layer that made what is moved
 * @param reader GPUs of a row split that is all that reads the result, see `readersOf`
 */
export function leastAt(
  collective: Collective,
  rank: number,
  received: number,
  place: LayerPlace | undefined,
  reader: readonly number[] | undefined,
): { readonly least: number; readonly excess: Excess } {
  if (reduces(collective)) {
    const least = received === 0 ? 0 : Math.min(received, leastOfSum(collective));
    return { least, excess: "added-again" };
  }
  if (collective.op === "expert-dispatch") {
    return { least: received * shareNotHeld(collective, rank, place), excess: "held" };
  }
  if (collective.op === "all-gather" && reader !== undefined && isOfColumns(place)) {
    return {
      least: Math.min(received, leastOfColumns(collective, rank, reader)),
      excess: "unread",
    };
  }
  return { least: received, excess: "unread" };
}

/**
 * Of a sum over `from` for every member of `to`: each element needs a message from every other summand, and one to
 * every other reader, which the GPUs share at best equally: 2(n − 1)/n of its bytes where all n do both (Patarasuk
 * and Yuan 2009). Who reads a sum of others gets at least its size.
 */
function leastOfSum(
  collective: Extract<Collective, { op: "all-reduce" | "reduce" | "reduce-scatter" }>,
): number {
  const { from, to, dtype } = collective;
  const bytes = bytesPerElement(dtype);
  const members = new Set([...from, ...to]).size;
  const isApart = members === from.length + to.length;
  if (collective.op === "reduce-scatter") {
    const size = bytes * collective.counts.reduce((sum, count) => sum + count, 0);
    return Math.max((size * (isApart ? from.length : from.length - 1)) / members, size / to.length);
  }
  const size = bytes * collective.count;
  const messages = from.length - 1 + to.length - (isApart ? 0 : 1);
  return Math.max((messages * size) / members, size);
}

/** Every member of a tensor group has all tokens of the group, unless each has a part of them. */
function shareNotHeld({ from }: Collective, rank: number, place: LayerPlace | undefined): number {
  const before = place?.stage.layers[place.at - 1];
  const isWhole = (before?.op === "norm" || before?.op === "residual") && before.split !== "tokens";
  if (!isWhole) return 1;
  const own = new Set(place?.layer.groups.find((group) => group.includes(rank)));
  const others = from.filter((source) => source !== rank);
  const outside = others.filter((source) => !own.has(source));
  return others.length === 0 ? 1 : outside.length / others.length;
}

function isOfColumns(place: LayerPlace | undefined): boolean {
  if (place === undefined || place.layer.groups.length !== 1) return false;
  return planLayerOf(place.layer).leaves(place.layer).placement === "columns";
}

/** A member of a row split reads the columns of its own rows, of which it may have made some itself. */
function leastOfColumns(
  { counts, from, dtype }: Extract<Collective, { op: "all-gather" | "gather" }>,
  rank: number,
  reader: readonly number[],
): number {
  const size = bytesPerElement(dtype) * counts.reduce((sum, count) => sum + count, 0);
  const read = blockOf(reader, rank);
  const made = blockOf(from, rank);
  const both = Math.max(0, Math.min(read.end, made.end) - Math.max(read.start, made.start));
  return size * (read.end - read.start - both);
}

/** The part of the columns, 0 … 1, that belongs to a member of a group; empty for others. */
function blockOf(
  group: readonly number[],
  rank: number,
): { readonly start: number; readonly end: number } {
  const i = group.indexOf(rank);
  return i < 0 ? { start: 0, end: 0 } : { start: i / group.length, end: (i + 1) / group.length };
}

/**
 * By layer: the GPUs of a row split that follows it, and is all that reads its result. Not where the result goes
 * there by way of others.
 */
export function readersOf(plan: Plan): Map<string, readonly number[]> {
  const placed = plan.stages.flatMap((stage, s) =>
    stage.layers.map((layer, at) => ({ stage, layer, at, s })),
  );
  return new Map(
    placed.flatMap(({ stage, layer, s }, i) => {
      const next = placed[i + 1];
      if (next?.layer.op !== "linear" || next.layer.split !== "row") return [];
      const [group, ...others] = next.layer.groups;
      if (group === undefined || group.length === 1 || others.length > 0) return [];
      const hops = plan.communications.filter(({ after }) => next.s > s && after === s);
      const isAdded = next.stage.layers.some((each) => readsAgain(each) === next.at);
      return isAdded || hops.length > 1 ? [] : [[layerName(stage, layer), group] as const];
    }),
  );
}
