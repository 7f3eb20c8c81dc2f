// Which check a kernel gets.

import type { KernelInstruction } from "../../program/program.ts";
import { checkActivate } from "./activate.ts";
import { checkAppend } from "./append_cache.ts";
import { checkAttendCache } from "./attend_cache.ts";
import { checkAttention } from "./attention.ts";
import { checkBlocks } from "./check_blocks.ts";
import { checkCombineAttention } from "./combine_attention.ts";
import { checkTraining } from "./check_training.ts";
import type { Coverage } from "./coverage.ts";
import { checkCausalConv, checkGatedDelta } from "./gated_delta.ts";
import { checkHeadMatmul } from "./head_matmul.ts";
import { checkMeanSquares } from "./head_norms.ts";
import { checkNorm } from "./norms.ts";
import { checkProduct, type Projections } from "./product.ts";
import { checkRotary } from "./rotary.ts";
import { checkCombine, checkPermute, checkPositions, checkTopK } from "./routing.ts";
import {
  checkAdd,
  checkAggregate,
  checkEmbedding,
  checkGather,
  checkSlice,
  checkSoftmax,
} from "./rows.ts";
import { checkTopLogits } from "./top_logits.ts";
import { checkScores, checkValues } from "./unfused_attention.ts";
import { type CheckView, operandsOf } from "./view.ts";

/** Undefined for kernels that no layer uses, which have no check. */
export async function checkKernel(
  instruction: KernelInstruction,
  view: CheckView,
  projections: Projections,
): Promise<Coverage | undefined> {
  const operands = operandsOf(instruction, view);
  switch (instruction.kernel) {
    case "matmul":
    case "grouped_matmul":
      return checkProduct(instruction, operands, view, projections);
    case "head_matmul":
      return checkHeadMatmul(instruction.shape, operands, view);
    case "attention":
      return checkAttention(instruction.shape, operands, view);
    case "attention_block":
    case "attention_block_gradient":
    case "attention_block_statistics":
    case "pack_attention_gradient":
    case "pack_keys_values":
      return checkBlocks(instruction, operands, view);
    case "attention_scores":
      return checkScores(instruction.shape, operands, view);
    case "attention_values":
      return checkValues(instruction.shape, operands, view);
    case "rotary":
      return checkRotary(instruction.shape, operands, view);
    case "mean_squares":
      return checkMeanSquares(instruction.shape, operands, view);
    case "causal_conv":
      return checkCausalConv(instruction.shape, operands, view);
    case "gated_delta":
      return checkGatedDelta(instruction.shape, operands, view);
    case "rms_norm":
    case "layer_norm":
    case "add_rms_norm":
    case "add_layer_norm":
      return checkNorm(instruction, operands, view);
    case "activate":
      return checkActivate(instruction.shape, operands, view);
    case "add":
      return checkAdd(instruction, operands, view);
    case "slice_columns":
      return checkSlice(instruction, operands, view);
    case "gather_columns":
      return checkGather(instruction, operands, view);
    case "embedding":
      return checkEmbedding(instruction, operands, view);
    case "softmax":
      return checkSoftmax(instruction, operands, view);
    case "aggregate":
      return checkAggregate(instruction, operands, view);
    case "route_top_k":
      return checkTopK(instruction, operands, view);
    case "route_positions":
      return checkPositions(instruction, operands);
    case "permute_tokens":
      return checkPermute(instruction, operands, view);
    case "combine_tokens":
      return checkCombine(instruction, operands, view);
    case "top_logits":
      return checkTopLogits(instruction.shape, operands, view);
    case "append_cache":
      return checkAppend(instruction.shape, operands, view);
    case "attend_cache":
      return checkAttendCache(instruction.shape, operands, view);
    case "combine_attention":
      return checkCombineAttention(instruction.shape, operands, view);
    case "reduce_sum":
    case "reduce_words":
      return undefined;
    default:
      return checkTraining(instruction, operands, view);
  }
}
