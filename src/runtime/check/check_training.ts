// Which check a kernel gets that training has besides the forward pass.

import type { KernelInstruction } from "../../program/program.ts";
import { checkActivationGradient } from "./activation_gradient.ts";
import { checkColumns, checkNormWeightGradient } from "./column_sums.ts";
import { checkNormInputGradient } from "./norm_gradient.ts";
import { checkAttentionGradient, checkAttentionStatistics } from "./attention_gradient.ts";
import {
  checkCrossEntropy,
  checkCrossEntropyGradient,
  checkLossStatistics,
  checkSquaredError,
  checkSquaredErrorGradient,
} from "./loss.ts";
import { checkBeginUpdate, checkClear, checkPutColumns, checkSumSquares } from "./update.ts";
import { checkUpdateWeight } from "./update_weight.ts";
import type { Coverage } from "./coverage.ts";
import { checkCombineWeights, checkRouteGradient } from "./expert_gradients.ts";
import { checkGroupedWeightGradient } from "./grouped_weight_gradient.ts";
import { checkEmbeddingGradient, checkPositionGradient } from "./embedding_gradient.ts";
import { checkHeadGainGradient, checkHeadNormGradient } from "./head_norms.ts";
import { checkLatentGradient } from "./latent_gradient.ts";
import { checkRowGateGradient } from "./row_gate_gradient.ts";
import { checkSpread } from "./rows.ts";
import { checkSinkGradient } from "./sink_gradient.ts";
import type { CheckView, Operands } from "./view.ts";

type TrainingCall = Extract<
  KernelInstruction,
  {
    readonly kernel:
      | "attention_statistics"
      | "attention_gradient"
      | "column_sums"
      | "activation_gradient"
      | "norm_input_gradient"
      | "norm_weight_gradient"
      | "loss_statistics"
      | "cross_entropy"
      | "cross_entropy_gradient"
      | "squared_error"
      | "squared_error_gradient"
      | "embedding_gradient"
      | "grouped_weight_gradient"
      | "combine_weight_gradient"
      | "route_gradient"
      | "head_gain_gradient"
      | "head_norm_gradient"
      | "latent_gradient"
      | "position_gradient"
      | "put_columns"
      | "row_gate_gradient"
      | "sink_gradient"
      | "spread_rows"
      | "clear"
      | "sum_squares"
      | "begin_update"
      | "update_weight";
  }
>;

export async function checkTraining(
  instruction: TrainingCall,
  operands: Operands,
  view: CheckView,
): Promise<Coverage> {
  switch (instruction.kernel) {
    case "attention_statistics":
      return checkAttentionStatistics(instruction.shape, operands, view);
    case "attention_gradient":
      return checkAttentionGradient(instruction.shape, operands, view);
    case "column_sums":
      return checkColumns(instruction, operands, view);
    case "activation_gradient":
      return checkActivationGradient(instruction.shape, operands, view);
    case "norm_input_gradient":
      return checkNormInputGradient(instruction.shape, operands, view);
    case "norm_weight_gradient":
      return checkNormWeightGradient(instruction, operands, view);
    case "loss_statistics":
      return checkLossStatistics(instruction.shape, operands, view);
    case "cross_entropy":
      return checkCrossEntropy(instruction.shape, operands);
    case "cross_entropy_gradient":
      return checkCrossEntropyGradient(instruction.shape, operands, view);
    case "squared_error":
      return checkSquaredError(instruction.shape, operands, view);
    case "squared_error_gradient":
      return checkSquaredErrorGradient(instruction.shape, operands, view);
    case "embedding_gradient":
      return checkEmbeddingGradient(instruction.shape, operands);
    case "grouped_weight_gradient":
      return checkGroupedWeightGradient(instruction.shape, operands, view);
    case "combine_weight_gradient":
      return checkCombineWeights(instruction.shape, operands, view);
    case "route_gradient":
      return checkRouteGradient(instruction.shape, operands, view);
    case "head_gain_gradient":
      return checkHeadGainGradient(instruction.shape, operands, view);
    case "head_norm_gradient":
      return checkHeadNormGradient(instruction.shape, operands, view);
    case "latent_gradient":
      return checkLatentGradient(instruction.shape, operands, view);
    case "position_gradient":
      return checkPositionGradient(instruction.shape, operands);
    case "put_columns":
      return checkPutColumns(instruction.shape, operands);
    case "row_gate_gradient":
      return checkRowGateGradient(instruction.shape, operands, view);
    case "sink_gradient":
      return checkSinkGradient(instruction.shape, operands);
    case "spread_rows":
      return checkSpread(instruction, operands, view);
    case "clear":
      return checkClear(instruction.shape, operands);
    case "sum_squares":
      return checkSumSquares(instruction.shape, operands);
    case "begin_update":
      return checkBeginUpdate(instruction.shape, operands);
    case "update_weight":
      return checkUpdateWeight(instruction.shape, operands);
  }
}
