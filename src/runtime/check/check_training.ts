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
import { checkBeginUpdate, checkClear, checkSumSquares } from "./update.ts";
import { checkUpdateWeight } from "./update_weight.ts";
import type { Coverage } from "./coverage.ts";
import { checkCombineWeights, checkRouteGradient } from "./expert_gradients.ts";
import { checkGroupedWeightGradient } from "./grouped_weight_gradient.ts";
import { checkEmbeddingGradient } from "./embedding_gradient.ts";
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
