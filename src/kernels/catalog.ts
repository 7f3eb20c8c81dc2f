// Every kernel by its name in a program.

import type { Kernel } from "./kernel.ts";
import { activate } from "./activate.ts";
import { activationGradient } from "./activation_gradient.ts";
import { add } from "./add.ts";
import { addLayerNorm } from "./add_layer_norm.ts";
import { addRmsNorm } from "./add_rms_norm.ts";
import { aggregate } from "./aggregate.ts";
import { appendCache } from "./append_cache.ts";
import { attendCache } from "./attend_cache.ts";
import { attention } from "./attention.ts";
import { attentionBlock } from "./attention_block.ts";
import { attentionBlockGradient } from "./attention_block_gradient.ts";
import { attentionBlockStatistics } from "./attention_block_statistics.ts";
import { attentionGradient } from "./attention_gradient.ts";
import { attentionScores } from "./attention_scores.ts";
import { attentionStatistics } from "./attention_statistics.ts";
import { attentionValues } from "./attention_values.ts";
import { beginUpdate } from "./begin_update.ts";
import { causalConv } from "./causal_conv.ts";
import { clear } from "./clear.ts";
import { columnSums } from "./column_sums.ts";
import { combineAttention } from "./combine_attention.ts";
import { combineTokens } from "./combine_tokens.ts";
import { combineWeightGradient } from "./combine_weight_gradient.ts";
import { crossEntropy } from "./cross_entropy.ts";
import { crossEntropyGradient } from "./cross_entropy_gradient.ts";
import { embedding } from "./embedding.ts";
import { embeddingGradient } from "./embedding_gradient.ts";
import { gatedDelta } from "./gated_delta.ts";
import { gatherColumns } from "./gather_columns.ts";
import { groupedMatmul } from "./grouped_matmul.ts";
import { groupedWeightGradient } from "./grouped_weight_gradient.ts";
import { headGainGradient } from "./head_gain_gradient.ts";
import { headMatmul } from "./head_matmul.ts";
import { headNormGradient } from "./head_norm_gradient.ts";
import { latentGradient } from "./latent_gradient.ts";
import { layerNorm } from "./layer_norm.ts";
import { lossStatistics } from "./loss_statistics.ts";
import { matmul } from "./matmul.ts";
import { meanSquares } from "./mean_squares.ts";
import { normInputGradient } from "./norm_input_gradient.ts";
import { normWeightGradient } from "./norm_weight_gradient.ts";
import { packAttentionGradient } from "./pack_attention_gradient.ts";
import { packKeysValues } from "./pack_keys_values.ts";
import { permuteTokens } from "./permute_tokens.ts";
import { positionGradient } from "./position_gradient.ts";
import { putColumns } from "./put_columns.ts";
import { reduceSum } from "./reduce_sum.ts";
import { reduceWords } from "./reduce_words.ts";
import { rmsNorm } from "./rms_norm.ts";
import { rotary } from "./rotary.ts";
import { routeGradient } from "./route_gradient.ts";
import { routePositions } from "./route_positions.ts";
import { routeTopK } from "./route_top_k.ts";
import { rowGateGradient } from "./row_gate_gradient.ts";
import { sinkGradient } from "./sink_gradient.ts";
import { sliceColumns } from "./slice_columns.ts";
import { softmax } from "./softmax.ts";
import { spreadRows } from "./spread_rows.ts";
import { squaredError } from "./squared_error.ts";
import { squaredErrorGradient } from "./squared_error_gradient.ts";
import { sumSquares } from "./sum_squares.ts";
import { topLogits } from "./top_logits.ts";
import { updateWeight } from "./update_weight.ts";

export const kernels = {
  activate: activate,
  activation_gradient: activationGradient,
  add: add,
  add_layer_norm: addLayerNorm,
  add_rms_norm: addRmsNorm,
  aggregate: aggregate,
  append_cache: appendCache,
  attend_cache: attendCache,
  attention: attention,
  attention_block: attentionBlock,
  attention_block_gradient: attentionBlockGradient,
  attention_block_statistics: attentionBlockStatistics,
  attention_gradient: attentionGradient,
  attention_scores: attentionScores,
  attention_statistics: attentionStatistics,
  attention_values: attentionValues,
  begin_update: beginUpdate,
  causal_conv: causalConv,
  clear: clear,
  column_sums: columnSums,
  combine_attention: combineAttention,
  combine_tokens: combineTokens,
  combine_weight_gradient: combineWeightGradient,
  cross_entropy: crossEntropy,
  cross_entropy_gradient: crossEntropyGradient,
  embedding: embedding,
  embedding_gradient: embeddingGradient,
  gated_delta: gatedDelta,
  gather_columns: gatherColumns,
  grouped_matmul: groupedMatmul,
  grouped_weight_gradient: groupedWeightGradient,
  head_gain_gradient: headGainGradient,
  head_matmul: headMatmul,
  head_norm_gradient: headNormGradient,
  latent_gradient: latentGradient,
  layer_norm: layerNorm,
  loss_statistics: lossStatistics,
  matmul: matmul,
  mean_squares: meanSquares,
  norm_input_gradient: normInputGradient,
  norm_weight_gradient: normWeightGradient,
  pack_attention_gradient: packAttentionGradient,
  pack_keys_values: packKeysValues,
  permute_tokens: permuteTokens,
  position_gradient: positionGradient,
  put_columns: putColumns,
  reduce_sum: reduceSum,
  reduce_words: reduceWords,
  rms_norm: rmsNorm,
  rotary: rotary,
  route_gradient: routeGradient,
  route_positions: routePositions,
  route_top_k: routeTopK,
  row_gate_gradient: rowGateGradient,
  sink_gradient: sinkGradient,
  slice_columns: sliceColumns,
  softmax: softmax,
  spread_rows: spreadRows,
  squared_error: squaredError,
  squared_error_gradient: squaredErrorGradient,
  sum_squares: sumSquares,
  top_logits: topLogits,
  update_weight: updateWeight,
} as const;

export type KernelName = keyof typeof kernels;

type ShapeOf<Name extends KernelName> =
  (typeof kernels)[Name] extends Kernel<infer Shape> ? Shape : never;

/** A kernel together with the shape it runs at. */
export type KernelCall = {
  [Name in KernelName]: { readonly kernel: Name; readonly shape: ShapeOf<Name> };
}[KernelName];

/** The catalogue entry of a call, its shape already applied. */
export function kernelOf(call: KernelCall): Kernel<KernelCall["shape"]> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- by construction of KernelCall, the entry takes the shape that stands beside its name
  return kernels[call.kernel] as Kernel<KernelCall["shape"]>;
}
