// What an all-reduce algorithm must say of itself. Hops, messages, mailboxes, workspace, simulation and the run itself
// follow from it: a new algorithm is one file, and one line in `algorithms.ts`.
//
// An algorithm has two phases. In the first, ranks add along its steps until every slice is summed on one rank, its
// owner, or all of the sum on every reader. In the second, owners broadcast their slices to all readers. Whoever adds,
// a sum is computed once, or in the same order everywhere: all readers get the same bits.

import type { ReduceStep } from "../reduce_step.ts";
import type { Membership, WireBytes } from "../traffic.ts";
import type { Reduction } from "./reduction.ts";

export interface ReduceAlgorithm {
  /** Whether `from` and `to` must be the same ranks. */
  readonly sameRanks: boolean;
  /**
   * First phase of a rank, in order. Every rank adds a slice once at most. Of two ranks, what one sends in its order
   * the other receives in its own. A rank sends its own summands before any sum, and to one reader those of one slice
   * only, for they share chunks. Its sums go to the readers of its own summands, where it has both: a simulation knows
   * one set of readers per lane.
   */
  steps(reduction: Reduction, rank: number): ReduceStep[];
  /** Rank k of them, all different, owns slice k of as many; none where every reader adds everything itself. */
  owners(reduction: Reduction): readonly number[];
  /** The most summands in any step of any rank. */
  summands(reduction: Reduction): number;
  /** Hops one after the other until all readers have the sum. */
  hops(ranks: number): number;
  /** Closed form of what both phases exchange, for plans of thousands of ranks. Absent: counted step by step. */
  wire?(reduction: Reduction, member: Membership): WireBytes;
  /**
   * How hosts may add in place of kernels: `whole`, every reader all of a short message (`addsOnHost`); `slices`, the
   * owner of a slice on a software adapter (`sumsSlices` of the run). Absent: kernels add.
   */
  readonly hostSum?: "whole" | "slices";
}
