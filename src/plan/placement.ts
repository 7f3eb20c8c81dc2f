// How a group of ranks holds a tensor [rows, columns], and which collective brings it from one placement to another.
// What a plan declares is judged by the same table as what a program does.

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

/** The collectives that change a placement; what is replicated already is sent or broadcast. */
export type Redistribution = "all-gather" | "all-reduce" | "reduce-scatter" | "all-to-all";

const redistributions: Readonly<
  Partial<Record<PlacementKind, Readonly<Partial<Record<PlacementKind, Redistribution>>>>>
> = {
  partial: { replicate: "all-reduce", rows: "reduce-scatter" },
  columns: { replicate: "all-gather", rows: "all-to-all" },
  rows: { replicate: "all-gather" },
};

/** Undefined where no single collective does it, or none is needed. */
export function redistributionOf(
  from: PlacementKind,
  to: PlacementKind,
): Redistribution | undefined {
  return redistributions[from]?.[to];
}
