// How a group of ranks holds a tensor [rows, columns], and which collective brings it from one placement to another.
// What a plan declares is judged by the same table as what a program does.

import type { Communication } from "./plan.ts";

/**
 * - `replicate`: every member holds all rows and columns
 * - `columns`: member i holds the i-th of equal blocks of columns
 * - `rows`: member i holds `rows[i]` rows, in order; members may have unlike numbers of them
 * - `partial`: every member holds a summand of the whole
 */
export type Placement =
  | { readonly kind: "replicate" }
  | { readonly kind: "columns" }
  | { readonly kind: "rows"; readonly rows: readonly number[] }
  | { readonly kind: "partial" };

export type PlacementKind = Placement["kind"];

/** What each communication takes, and what it leaves where it goes. */
export const effects: Readonly<
  Record<Communication["op"], Readonly<Partial<Record<PlacementKind, PlacementKind>>>>
> = {
  "all-gather": { columns: "replicate", rows: "replicate" },
  "all-reduce": { partial: "replicate" },
  "reduce-scatter": { partial: "rows" },
  "all-to-all": { columns: "rows" },
  broadcast: { replicate: "replicate" },
  send: { replicate: "replicate" },
};

/** The collectives that change a placement. */
const redistributions = ["all-gather", "all-reduce", "reduce-scatter", "all-to-all"] as const;

export type Redistribution = (typeof redistributions)[number];

/** Undefined where no single collective does it, or none is needed. */
export function redistributionOf(
  from: PlacementKind,
  to: PlacementKind,
): Redistribution | undefined {
  return redistributions.find((op) => effects[op][from] === to);
}

const kinds: readonly PlacementKind[] = ["replicate", "columns", "partial", "rows"];

/**
 * As what the communication takes a value; undefined where it does not.
 *
 * @param isAlone on one rank, which holds a whole, a block and a summand at once
 */
export function takenBy(
  op: Communication["op"],
  kind: PlacementKind,
  isAlone: boolean,
): PlacementKind | undefined {
  return (isAlone ? kinds : [kind]).find((each) => effects[op][each] !== undefined);
}

/** Whether a communication may start from these ranks: all blocks in their order, all summands, or any of the copies. */
export function startsWhereItLies(
  from: readonly number[],
  kind: PlacementKind,
  holders: readonly number[],
): boolean {
  // Blocks are joined in the order of their ranks; summands have no order.
  if (kind === "columns" || kind === "rows") {
    return from.length === holders.length && from.every((rank, i) => rank === holders[i]);
  }
  const isEachOnce = new Set(from).size === from.length;
  const isEnough = kind === "replicate" || from.length === holders.length;
  return isEachOnce && isEnough && from.every((rank) => holders.includes(rank));
}
