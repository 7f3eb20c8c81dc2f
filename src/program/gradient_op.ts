// The ops of a training step behind its forward pass: the loss, gradients of activations and of weights, and the
// optimizer's update. Gradients of activations have the program's dtype, those of weights f32.

import type { Activation } from "../kernels/activation.ts";
import type { Optimizer } from "../plan/optimizer.ts";
import type { AttentionGradientOps } from "./attention_gradient_op.ts";
import type { PositionOperands } from "./embedding_op.ts";
import type { AggregateOp, NormOp } from "./row_op.ts";
import type { GroupedMatmulOp, PermuteOp, RouteOp, RouterLosses } from "./expert_op.ts";
import type { OpBase } from "./op_base.ts";
import type { Tensor, View } from "./tensor.ts";

/** y [rows, 4] = of each row's own columns the largest logit, the sum of exponentials less it, and the label's logit. */
export interface LossStatisticsOp extends OpBase {
  readonly op: "loss-statistics";
  readonly logits: Tensor;
  /** u32 [rows] */
  readonly labels: Tensor;
  /** Whether ranks hold blocks of the columns, in order, and how many columns each. */
  readonly isSplit: boolean;
  readonly ownColumns: number;
  readonly y: Tensor;
}

/** losses [rows] = −log softmax(logits)[label], from the statistics of all column blocks, one after the other. */
export interface CrossEntropyOp extends OpBase {
  readonly op: "cross-entropy";
  readonly logits: Tensor;
  readonly labels: Tensor;
  /** f32 [blocks · rows, 4] */
  readonly statistics: Tensor;
  readonly blocks: number;
  readonly isSplit: boolean;
  readonly ownColumns: number;
  /** What gradients of logits are multiplied by: 1 / tokens of the batch, and the loss scale. */
  readonly scale: number;
  /** f32 [rows] */
  readonly losses: Tensor;
}

export interface CrossEntropyGradientOp extends OpBase {
  readonly op: "cross-entropy-gradient";
  readonly logits: Tensor;
  readonly labels: Tensor;
  readonly statistics: Tensor;
  readonly blocks: number;
  readonly isSplit: boolean;
  readonly ownColumns: number;
  readonly scale: number;
  readonly dx: View;
}

/** losses [rows] = ½ · the sum of a row's squared differences. */
export interface SquaredErrorOp extends OpBase {
  readonly op: "squared-error";
  readonly x: Tensor;
  readonly targets: Tensor;
  readonly scale: number;
  readonly losses: Tensor;
}

/** dx = scale · (x − targets) */
export interface SquaredErrorGradientOp extends OpBase {
  readonly op: "squared-error-gradient";
  readonly x: Tensor;
  readonly targets: Tensor;
  readonly scale: number;
  readonly dx: View;
}

/** y += scale · aᵀ · b: of a product x · w with a = x and b = dy, of one with transposed weights the other way round. */
export interface WeightGradientOp extends OpBase {
  readonly op: "weight-gradient";
  readonly a: View;
  readonly b: View;
  readonly scale?: number;
  readonly y: Tensor;
}

/** y += the sum over rows of dy; of rows sorted by expert, those of each. */
export interface BiasGradientOp extends OpBase {
  readonly op: "bias-gradient";
  readonly dy: View;
  readonly y: Tensor;
  /** As of `ActivationOp`. */
  readonly offsets?: Tensor;
  readonly expectedRows?: number;
}

/** Of y = activation(x) · gate. */
export interface ActivationGradientOp extends OpBase {
  readonly op: "activation-gradient";
  readonly activation: Activation;
  readonly cap?: number;
  readonly x: View;
  readonly gate?: View;
  readonly dy: View;
  readonly dx: View;
  readonly dgate?: View;
  /** As of `ActivationOp`. */
  readonly offsets?: Tensor;
  readonly expectedRows?: number;
}

/** dx = the norm's gradient + residual; statistics [rows, 4] = each row's mean and scale, in f32. */
export interface NormGradientOp extends OpBase, Pick<NormOp, "norm" | "epsilon" | "x" | "gain"> {
  readonly op: "norm-gradient";
  readonly dy: View;
  readonly residual?: View;
  readonly dx: View;
  readonly statistics: Tensor;
}

/** gain += the sum over rows of dy · normalized x; bias += the sum over rows of dy. */
export interface GainGradientOp extends OpBase, Pick<NormOp, "x"> {
  readonly op: "gain-gradient";
  readonly dy: View;
  readonly statistics: Tensor;
  readonly gain: Tensor;
  readonly bias?: Tensor;
}

/** y[ids] += scale · dy, of the ids in the rank's rows of the table. */
export interface EmbeddingGradientOp extends OpBase {
  readonly op: "embedding-gradient";
  readonly ids: Tensor;
  readonly table: Tensor;
  readonly dy: View;
  readonly scale?: number;
  readonly y: Tensor;
}

/** y += dy, at the rows of a table of positions that its tokens added. */
export interface PositionGradientOp
  extends OpBase, Pick<PositionOperands, "first" | "sequence" | "slices"> {
  readonly op: "position-gradient";
  readonly dy: Tensor;
  readonly y: Tensor;
}

/** Of y = product · sigmoid(gate): gradients of the product, and of each row's gate. */
export interface RowGateGradientOp extends OpBase {
  readonly op: "row-gate-gradient";
  readonly gated: Tensor;
  readonly gate: Tensor;
  readonly dy: Tensor;
  readonly dproduct: Tensor;
  readonly dgate: Tensor;
}

/** dx = scale · the row of dy that its group became. */
export interface SpreadRowsOp extends OpBase, Pick<AggregateOp, "group" | "scale"> {
  readonly op: "spread-rows";
  readonly dy: Tensor;
  readonly dx: Tensor;
}

/** y += of each expert xᵀ · dy over its rows. */
export interface GroupedWeightGradientOp
  extends OpBase, Pick<GroupedMatmulOp, "offsets" | "choices" | "experts"> {
  readonly op: "grouped-weight-gradient";
  readonly x: Tensor;
  readonly dy: Tensor;
  readonly weight: Tensor;
  readonly y: Tensor;
}

/** y [choices] = dy[token] · x[row of the choice], 0 of those that were dropped. */
export interface ChoiceWeightGradientOp
  extends OpBase, Omit<PermuteOp, "op" | "x" | "y" | "isWeighted" | "slices"> {
  readonly op: "choice-weight-gradient";
  /** Rows sorted by expert. */
  readonly x: Tensor;
  readonly dy: Tensor;
  /** [experts], rows of each expert that were not dropped */
  readonly kept: Tensor;
  readonly y: Tensor;
}

/** dx = the gradient of a router's logits. */
export interface RouteGradientOp
  extends
    OpBase,
    Pick<RouteOp, "logits" | "ids" | "experts" | "topK" | "rule">,
    Pick<RouterLosses, "balance" | "logarithm" | "counted"> {
  readonly op: "route-gradient";
  readonly dweights: Tensor;
  readonly dx: Tensor;
}

/** y = some columns of x, both f32. */
export interface TakeColumnsOp extends OpBase {
  readonly op: "take-columns";
  readonly x: Tensor;
  readonly first: number;
  readonly y: Tensor;
}

/** x over some columns of y, both f32. */
export interface PutColumnsOp extends OpBase {
  readonly op: "put-columns";
  readonly x: Tensor;
  readonly first: number;
  readonly y: Tensor;
}

/** sum += the sum of squares of x. */
export interface SumSquaresOp extends OpBase {
  readonly op: "sum-squares";
  readonly x: Tensor;
  /** Of x, that count. Absent: all. */
  readonly columns?: number;
  readonly sum: Tensor;
}

/**
 * Once a step, before the weights: counts it in `state`, and from the gradients' sum of squares over all ranks says by what
 * gradients are multiplied, so that their norm is at most the plan's; clears the sum.
 */
export interface BeginUpdateOp extends OpBase {
  readonly op: "begin-update";
  readonly sum: Tensor;
  readonly state: Tensor;
  readonly rules: Optimizer;
}

/** Moves a weight against its gradient, and clears that. */
export interface UpdateWeightOp extends OpBase {
  readonly op: "update-weight";
  readonly state: Tensor;
  readonly gradient: Tensor;
  readonly weight: Tensor;
  /** f32, where the weight is stored in fewer bits. */
  readonly master?: Tensor;
  readonly first?: Tensor;
  readonly second?: Tensor;
  readonly rules: Optimizer;
  /** Weight decay is for matrices. */
  readonly decays: boolean;
}

/** y = 0 */
export interface ClearOp extends OpBase {
  readonly op: "clear";
  readonly y: Tensor;
}

export type GradientOp =
  | ClearOp
  | LossStatisticsOp
  | CrossEntropyOp
  | CrossEntropyGradientOp
  | SquaredErrorOp
  | SquaredErrorGradientOp
  | WeightGradientOp
  | BiasGradientOp
  | ActivationGradientOp
  | NormGradientOp
  | GainGradientOp
  | AttentionGradientOps
  | RowGateGradientOp
  | SpreadRowsOp
  | EmbeddingGradientOp
  | PositionGradientOp
  | GroupedWeightGradientOp
  | ChoiceWeightGradientOp
  | RouteGradientOp
  | TakeColumnsOp
  | PutColumnsOp
  | SumSquaresOp
  | BeginUpdateOp
  | UpdateWeightOp;
