// What a program computes, once for all ranks of a group and for every micro-batch. Layers emit ops, passes rewrite the
// list, and `emit` turns it into instructions per rank. An op reads and writes tensors; sizes are those of its tensors'
// parts on each rank.

import type { Activation } from "../kernels/activation.ts";
import type { AppendCacheOp, AttendCacheOp, CombineAttentionOp } from "./cache_op.ts";
import type { Observation, OpOrigin } from "./program.ts";
import type { ServedContent } from "./serving/served.ts";
import type { Tensor, View } from "./tensor.ts";

export interface OpBase {
  readonly origin: OpOrigin;
  /** The layer in whose place of the list it stands; its origin may be an earlier one. */
  readonly place: string;
  readonly ranks: readonly number[];
}

/** Host writes each rank's rows of the input, which lie `rowsPerMicroBatch` further on for each micro-batch. */
export interface InputOp extends OpBase {
  readonly op: "input";
  readonly y: Tensor;
  readonly rowsPerMicroBatch: number;
  /** By member: what the host writes anew for each step of serving, in place of the tensor's content. */
  readonly served?: readonly ServedContent[];
}

/** Rows of a tensor into those of another, on the same ranks. */
export interface CopyOp extends OpBase {
  readonly op: "copy";
  readonly x: Tensor;
  readonly y: Tensor;
  readonly xRow: number;
  readonly yRow: number;
  readonly rows: number;
  readonly columns: number;
}

/** y = activation(x · w) · gate + residual */
export interface MatmulOp extends OpBase {
  readonly op: "matmul";
  readonly x: View;
  /** [k, n], transposed [n, k] */
  readonly w: Tensor;
  readonly isTransposed?: boolean;
  readonly activation: Activation;
  readonly gate?: View;
  readonly residual?: View;
  readonly y: View;
}

/** One product per expert, over the rows that `offsets` gives it. */
export interface GroupedMatmulOp extends OpBase {
  readonly op: "grouped-matmul";
  readonly x: View;
  /** [experts, k, n] */
  readonly w: Tensor;
  readonly offsets: Tensor;
  readonly activation: Activation;
  readonly gate?: View;
  readonly y: View;
  /** What all experts together are expected to get. */
  readonly choices: number;
  readonly experts: number;
}

/** y = activation(x) · gate. No kernel does it alone: `fuse` makes it part of the product that gives x. */
export interface ActivationOp extends OpBase {
  readonly op: "activation";
  readonly activation: Activation;
  readonly x: View;
  readonly gate?: View;
  readonly y: View;
}

export interface AttentionOp extends OpBase {
  readonly op: "attention";
  /** Queries of the rank's heads, then keys, then values of its KV heads. */
  readonly qkv: Tensor;
  readonly y: Tensor;
  readonly sequence: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly causal: boolean;
}

export interface NormOp extends OpBase {
  readonly op: "norm";
  readonly norm: "rms" | "layer";
  readonly epsilon: number;
  readonly x: View;
  readonly gain: Tensor;
  /** Of a layer norm. */
  readonly bias?: Tensor;
  readonly y: View;
  /** Summands of x, which this op then writes, too. */
  readonly sumOf?: readonly [View, View];
}

/** y = a + b */
export interface AddOp extends OpBase {
  readonly op: "add";
  readonly a: View;
  readonly b: View;
  readonly y: View;
}

export interface AggregateOp extends OpBase {
  readonly op: "aggregate";
  readonly x: Tensor;
  readonly y: Tensor;
  /** Rows that become one. */
  readonly group: number;
  readonly scale: number;
}

export interface EmbeddingOp extends OpBase {
  readonly op: "embedding";
  readonly ids: Tensor;
  readonly table: Tensor;
  readonly y: Tensor;
}

/** Member i of the group takes the i-th block of columns. */
export interface SliceColumnsOp extends OpBase {
  readonly op: "slice-columns";
  readonly x: Tensor;
  readonly y: Tensor;
}

/** Blocks of columns, one after the other in x, side by side in y. */
export interface GatherColumnsOp extends OpBase {
  readonly op: "gather-columns";
  readonly x: Tensor;
  readonly y: View;
  readonly pieces: number;
}

/** Tables of a router, u32 but for the weights, which are f32. */
export interface Routing {
  /** [choices] */
  readonly ids: Tensor;
  readonly weights: Tensor;
  readonly positions: Tensor;
  /** [experts] */
  readonly counts: Tensor;
  /** [experts + 1] */
  readonly offsets: Tensor;
}

interface RoutingOp extends OpBase, Routing {
  readonly experts: number;
  readonly topK: number;
}

/** Chooses experts from the router's logits. */
export interface RouteOp extends RoutingOp {
  readonly op: "route";
  readonly logits: Tensor;
  readonly renormalise: boolean;
}

/** Where each choice goes when rows are sorted by expert. */
export interface RoutePositionsOp extends RoutingOp {
  readonly op: "route-positions";
}

/** y = the rows of x, one per choice, sorted by expert. */
export interface PermuteOp extends RoutingOp {
  readonly op: "permute";
  readonly x: Tensor;
  readonly y: Tensor;
}

/** y = the weighted sum of what the experts gave for each row. */
export interface UnpermuteOp extends RoutingOp {
  readonly op: "unpermute";
  readonly x: Tensor;
  /** [experts], rows of each expert that were not dropped */
  readonly kept: Tensor;
  readonly y: View;
}

/** Shows results to the check. */
export interface ObserveOp extends OpBase {
  readonly op: "observe";
  readonly x: Tensor;
  /** By member. */
  readonly shown: readonly Observation[];
}

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
  readonly name: string;
  readonly channelName: string;
}

export type Transfer = CollectiveOp | ExpertTransferOp;

export type Op =
  | InputOp
  | CopyOp
  | MatmulOp
  | GroupedMatmulOp
  | ActivationOp
  | AttentionOp
  | AppendCacheOp
  | AttendCacheOp
  | CombineAttentionOp
  | NormOp
  | AddOp
  | AggregateOp
  | EmbeddingOp
  | SliceColumnsOp
  | GatherColumnsOp
  | RouteOp
  | RoutePositionsOp
  | PermuteOp
  | UnpermuteOp
  | ObserveOp
  | Transfer
  | DoneOp;

type Placeless<Each> = Each extends Op ? Omit<Each, "place"> : never;

/** As a layer says it: where it stands is added for all of its ops. */
export type NewOp = Placeless<Op>;

export function isTransfer<Each extends Pick<Op, "op">>(
  op: Each,
): op is Extract<Each, { readonly op: Transfer["op"] }> {
  return op.op === "collective" || op.op === "expert-dispatch" || op.op === "expert-combine";
}
