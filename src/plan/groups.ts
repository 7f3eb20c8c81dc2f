// Who runs a layer, and how they share it.

/**
 * Who runs a layer: one tensor group per data replica. `[[0, 1]]` is one group of two; `[[0], [1]]` two
 * replicas that each take half of the rows. Rows are divided among the groups in order, as evenly as
 * whole samples allow.
 */
export type Groups = readonly (readonly number[])[];

/**
 * GPUs that together hold every expert once: per member, in order, a contiguous block of experts; the GPUs of a
 * member each hold a slice of its experts' inner width. Every group has all experts, and serves the tokens of its
 * own GPUs; a group alone serves all tokens.
 */
export type ExpertGroup = readonly (readonly number[])[];

/** How a weight matrix [in, out] is split over a tensor group. */
export type LinearSplit = "column" | "row" | "replicated";
