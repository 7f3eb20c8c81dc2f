// Ops that bring tensors from ranks to ranks.

import type { OpBase } from "./op_base.ts";
import type { Tensor, View } from "./tensor.ts";

interface TransferOp extends OpBase {
  readonly name: string;
  /** Tells its mailboxes from those of others: the same for every micro-batch. */
  readonly channelName: string;
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** Staging and workspace of its own where others are under way at the same time. */
  readonly slot: number;
  /** Goes on beside what follows, up to the `done` of its name. */
  readonly isStarted?: boolean;
}

/** Elements of a message; in a list of lists those from member i of `from` to member j of `to`. */
export type Amount =
  | { readonly kind: "all-reduce" | "broadcast" | "send"; readonly count: number }
  | { readonly kind: "all-gather" | "reduce-scatter"; readonly counts: readonly number[] }
  | { readonly kind: "all-to-all"; readonly counts: readonly (readonly number[])[] };

/** `x` lies on the members of `from`, `y` on those of `to`. */
export interface CollectiveOp extends TransferOp {
  readonly op: "collective";
  readonly amount: Amount;
  /** Keys and values go on in their ring: their gradients have a ring of their own. */
  readonly isOfRing?: true;
  readonly x: View;
  readonly y: View;
}

/** Rows to the ranks that hold their experts, and results back: how many, the router decides. */
export interface ExpertTransferOp extends TransferOp {
  readonly op: "expert-dispatch" | "expert-combine";
  /** Of the dispatch whose rows come back. */
  readonly dispatchName: string;
  readonly rows: number;
  readonly columns: number;
  readonly expertsPerRank: readonly number[];
  readonly capacity?: number;
  readonly x: Tensor;
  readonly y: Tensor;
  /** Of the sources. */
  readonly counts: Tensor;
  readonly kept: Tensor;
  /** Of the ranks with experts. */
  readonly offsets: Tensor;
}

export interface DoneOp extends OpBase {
  readonly op: "done";
  readonly isOfRing?: true;
  readonly name: string;
  readonly channelName: string;
}

export type Transfer = CollectiveOp | ExpertTransferOp;

export function isTransfer<Each extends { readonly op: string }>(
  op: Each,
): op is Extract<Each, { readonly op: Transfer["op"] }> {
  return op.op === "collective" || op.op === "expert-dispatch" || op.op === "expert-combine";
}
