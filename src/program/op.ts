// What a program computes, once for all ranks of a group and for every micro-batch. Layers emit ops, passes rewrite the
// list, and `emit` turns it into instructions per rank. An op reads and writes tensors; sizes are those of its tensors'
// parts on each rank.

import type { Activation } from "../kernels/activation.ts";
import type { RoutingRule } from "../kernels/route_top_k.ts";
import type {
  AttentionOp,
  AttentionScoresOp,
  AttentionValuesOp,
  HeadMatmulOp,
  MeanSquaresOp,
  RotaryOp,
  SoftmaxOp,
} from "./attention_op.ts";
import type { AppendCacheOp, AttendCacheOp, CombineAttentionOp } from "./cache_op.ts";
import type { CausalConvOp, GatedDeltaOp } from "./delta_op.ts";
import type { EmbeddingOp, GatherRowsOp } from "./embedding_op.ts";
import type { GradientOp } from "./gradient_op.ts";
import type { OpBase } from "./op_base.ts";
import type { Observation } from "./observation.ts";
import type { ServedContent } from "./serving/served.ts";
import type { Tensor, View } from "./tensor.ts";
import type { Tile } from "./tile.ts";
import type { TopLogitsOp } from "./top_logits_op.ts";
import type { DoneOp, Transfer } from "./transfer_op.ts";

/** Host writes each rank's rows of the input, which lie `rowsPerMicroBatch` further on for each micro-batch. */
export interface InputOp extends OpBase {
  readonly op: "input";
  readonly y: Tensor;
  readonly rowsPerMicroBatch: number;
  /** By member: what the host writes anew for each step of serving, in place of the tensor's content. */
  readonly served?: readonly ServedContent[];
  /** While the step before runs, in a thread of its own. */
  readonly isReadAhead?: true;
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

/** y = activation(scale · x · w + bias) · gate · sigmoid(row gate) + residual */
export interface MatmulOp extends OpBase {
  readonly op: "matmul";
  readonly x: View;
  /** [k, n], transposed [n, k] */
  readonly w: Tensor;
  readonly isTransposed?: boolean;
  /** `w` is that of the weight; of y, and of what finishes it, the columns are. */
  readonly tile?: Tile;
  /** [n], on the ranks that add it: of partial sums one adds it for all. */
  readonly bias?: Tensor;
  readonly activation: Activation;
  /** Of `softcap`. */
  readonly cap?: number;
  /** Absent: 1. */
  readonly scale?: number;
  readonly gate?: View;
  /** [rows, 1] */
  readonly rowGate?: View;
  readonly residual?: View;
  readonly y: View;
  /** Of a router, see `RoutingOp`. */
  readonly slices?: readonly number[];
}

/** One product per expert, over the rows that `offsets` gives it. */
export interface GroupedMatmulOp extends OpBase {
  readonly op: "grouped-matmul";
  readonly x: View;
  /** [experts, k, n], transposed [experts, n, k] */
  readonly w: Tensor;
  readonly isTransposed?: boolean;
  /** As of `MatmulOp`. */
  readonly tile?: Tile;
  /** [experts, 1, n], on the ranks that add it. */
  readonly bias?: Tensor;
  readonly offsets: Tensor;
  readonly activation: Activation;
  readonly gate?: View;
  readonly residual?: View;
  readonly y: View;
  /** What all experts together are expected to get. */
  readonly choices: number;
  readonly experts: number;
}

/** y = activation(x) · gate. Where no gradient needs x, `fuse` makes it part of the product that gives x. */
export interface ActivationOp extends OpBase {
  readonly op: "activation";
  readonly activation: Activation;
  /** Of `softcap`. */
  readonly cap?: number;
  readonly x: View;
  readonly gate?: View;
  readonly y: View;
  /** Of rows sorted by expert: the first of each, and how many are expected. */
  readonly offsets?: Tensor;
  readonly expectedRows?: number;
}

export interface NormOp extends OpBase {
  readonly op: "norm";
  readonly norm: "rms" | "layer";
  readonly epsilon: number;
  /** Of which an RMS norm may take the first columns. */
  readonly x: View;
  readonly gain: Tensor;
  /** Of a layer norm that has one. */
  readonly bias?: Tensor;
  readonly y: View;
  /** Summands of x, which this op then writes, too. */
  readonly sumOf?: readonly [View, View];
  /** Of the first summand. Absent: 1. */
  readonly scale?: number;
}

/** y = scale · a + b */
export interface AddOp extends OpBase {
  readonly op: "add";
  /** Absent: 1. */
  readonly scale?: number;
  readonly a: View;
  readonly b: View;
  readonly y: View;
}

/** Then no kernel has to read the same twice, which it could not beside what it writes in one buffer. */
export function addsToItself({ a, b }: AddOp): boolean {
  return a.tensor === b.tensor && a.window?.first === b.window?.first;
}

export interface AggregateOp extends OpBase {
  readonly op: "aggregate";
  readonly x: Tensor;
  readonly y: Tensor;
  /** Rows that become one. */
  readonly group: number;
  readonly scale: number;
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
  /**
   * Ranks that route the same rows, each for its slice of every expert: what it gives them, and the gradient of what it reads,
   * are summands.
   */
  readonly slices?: readonly number[];
}

/** As of `RouteGradientShape`. */
export interface RouterLosses {
  readonly balance?: { readonly factor: number; readonly blocks: number };
  readonly logarithm?: number;
  /** [blocks, experts], choices by each of the ranks that route tokens. */
  readonly counted?: Tensor;
}

/** Chooses experts from the router's logits. */
export interface RouteOp extends RoutingOp {
  readonly op: "route";
  readonly logits: Tensor;
  readonly rule: RoutingRule;
  /** [experts] */
  readonly correction?: Tensor;
  /** What training minimizes besides; read by the backward pass alone. */
  readonly losses?: RouterLosses;
}

/** Where each choice goes when rows are sorted by expert. */
export interface RoutePositionsOp extends RoutingOp {
  readonly op: "route-positions";
}

/** y = the rows of x, one per choice, sorted by expert. */
export interface PermuteOp extends RoutingOp {
  readonly op: "permute";
  /** Rows are multiplied by the weights of their choices, here and not when they come back. */
  readonly isWeighted: boolean;
  readonly x: Tensor;
  readonly y: Tensor;
}

/** y = the weighted sum of what the experts gave for each row. */
export interface UnpermuteOp extends RoutingOp {
  readonly op: "unpermute";
  /** Rows are multiplied by the weights of their choices, now that they are back. */
  readonly isWeighted: boolean;
  readonly x: Tensor;
  /** [experts], rows of each expert that were not dropped */
  readonly kept: Tensor;
  readonly y: View;
}

/** Shows results to the check. */
export interface ObserveOp extends OpBase {
  readonly op: "observe";
  readonly x: View;
  /** By member. */
  readonly shown: readonly Observation[];
}

export type Op =
  | InputOp
  | CopyOp
  | MatmulOp
  | GroupedMatmulOp
  | ActivationOp
  | AttentionOp
  | AttentionScoresOp
  | SoftmaxOp
  | AttentionValuesOp
  | AppendCacheOp
  | AttendCacheOp
  | CombineAttentionOp
  | RotaryOp
  | MeanSquaresOp
  | HeadMatmulOp
  | CausalConvOp
  | GatedDeltaOp
  | NormOp
  | AddOp
  | AggregateOp
  | EmbeddingOp
  | GatherRowsOp
  | SliceColumnsOp
  | GatherColumnsOp
  | RouteOp
  | RoutePositionsOp
  | PermuteOp
  | UnpermuteOp
  | TopLogitsOp
  | ObserveOp
  | GradientOp
  | Transfer
  | DoneOp;

type Placeless<Each> = Each extends Op ? Omit<Each, "place"> : never;

/** As a layer says it: where it stands is added for all of its ops. */
export type NewOp = Placeless<Op>;
