// Losses that keep a router balanced and its logits small, with their gradients; a layer's coefficient comes on top.

import type { RoutingRule } from "../../kernels/route_top_k.ts";
import { choiceWeights } from "../routing.ts";
import { matrix, type Matrix, rowOf } from "../tensor.ts";
import { choiceWeightsGradient } from "./routing.ts";
import type { LossGradient } from "./losses.ts";

/**
 * E · Σ fᵢ · Pᵢ over E experts: f the share of all choices, which has no gradient, P the mean over tokens of an expert's
 * score as a share of all scores (Fedus et al., Switch Transformers, 2022, equations 4 to 6; of sigmoids DeepSeek-V3,
 * 2024, equations 17 to 20). 1 where all is even.
 *
 * @param logits [tokens, experts]
 * @param choices expert ids [tokens, topK]
 */
export function auxiliaryLoss(
  logits: Matrix,
  choices: Uint32Array,
  { scoring = "softmax" }: Pick<RoutingRule, "scoring">,
): LossGradient {
  const { rows: tokens, columns: experts } = logits;
  const all = Uint32Array.from({ length: experts }, (_, expert) => expert);
  const rule = { topK: experts, renormalise: true, scoring };
  const dShares = new Float64Array(experts);
  for (const expert of choices) dShares[expert]! += experts / choices.length / tokens;
  const gradient = matrix(tokens, experts);
  let loss = 0;
  for (let row = 0; row < tokens; row++) {
    const own = rowOf(logits, row);
    const shares = choiceWeights(own, all, rule);
    loss += shares.reduce((sum, share, expert) => sum + share * dShares[expert]!, 0);
    rowOf(gradient, row).set(choiceWeightsGradient(own, all, rule, dShares));
  }
  return { loss, gradient };
}

/** Mean over tokens of (log Σ e^logit)² (Zoph et al., ST-MoE, 2022, equation 5). */
export function zLoss(logits: Matrix): LossGradient {
  const gradient = matrix(logits.rows, logits.columns);
  let loss = 0;
  for (let row = 0; row < logits.rows; row++) {
    const own = rowOf(logits, row);
    const largest = own.reduce((most, logit) => Math.max(most, logit), -Infinity);
    const total = own.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
    const logSum = Math.log(total) + largest;
    loss += logSum ** 2 / logits.rows;
    const slope = (2 * logSum) / logits.rows;
    rowOf(gradient, row).set(own.map((logit) => (slope * Math.exp(logit - largest)) / total));
  }
  return { loss, gradient };
}
