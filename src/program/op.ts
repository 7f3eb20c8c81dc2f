// What a program computes, once for all ranks of a group and for every micro-batch. Layers emit ops, passes rewrite the
// list, and `emit` turns it into instructions per rank. An op reads and writes tensors; sizes are those of its tensors'
// parts on each rank.

import type { Activation } from "../kernels/activation.ts";
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
import type {
  GroupedMatmulOp,
  PermuteOp,
  RouteOp,
  RoutePositionsOp,
  UnpermuteOp,
} from "./expert_op.ts";
import type { GradientOp } from "./gradient_op.ts";
import type { OpBase } from "./op_base.ts";
import type { ActivationOp, AddOp, AggregateOp, NormOp } from "./row_op.ts";
import type { RingOp } from "./ring_op.ts";
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
  /** Of a router, see `RouteOp`. */
  readonly slices?: readonly number[];
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
  | RingOp
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
