// Of a router's logits: from the weights of a token's experts, and from two losses of the router. Which experts a token takes
// has no gradient, nor has what only that depends on.

import type { RoutingRule } from "../../kernels/route_top_k.ts";
import { choiceWeights, scoresOf } from "../routing.ts";
import { dot } from "../tensor.ts";

/**
 * @param dWeights of the chosen experts' weights, in their order
 * @returns the gradient of all logits
 */
export function choiceWeightsGradient(
  logits: Float64Array,
  chosen: Uint32Array,
  rule: RoutingRule,
  dWeights: Float64Array,
): Float64Array {
  const { renormalise, routedScale = 1, scoring = "softmax" } = rule;
  const scores = scoresOf(logits, rule);
  const out = new Float64Array(logits.length);
  // Weights are scale · share, and shares score / total of the chosen where they are renormalised.
  const shares = choiceWeights(logits, chosen, rule).map((weight) => weight / routedScale);
  const dShares = dWeights.map((value) => value * routedScale);
  const along = dot(dShares, shares);
  if (scoring === "softmax") {
    // A softmax over the chosen, or over all.
    if (!renormalise) scores.forEach((score, expert) => (out[expert] = -score * along));
    for (const [i, expert] of chosen.entries()) {
      out[expert]! += shares[i]! * (renormalise ? dShares[i]! - along : dShares[i]!);
    }
    return out;
  }
  // shareᵢ = sᵢ / Σs, and s' = s · (1 − s): d = shareᵢ · (1 − sᵢ) · (dᵢ − Σ d · share).
  for (const [i, expert] of chosen.entries()) {
    const across = renormalise ? dShares[i]! - along : dShares[i]!;
    out[expert] = shares[i]! * (1 - scores[expert]!) * across;
  }
  return out;
}

/** What a step minimizes besides its loss, in one token's logits. */
export interface RouterPull {
  /** Of the auxiliary loss, `factor · Σ choices · q` with q the token's scores over their sum. */
  readonly balance?: { readonly factor: number; readonly choices: ArrayLike<number> };
  /** Of the z-loss, `logarithm / 2 · l²` with l the logarithm of the sum of exponentials. */
  readonly logarithm?: number;
}

/** l of a token's logits. */
function logarithmOfSum(logits: Float64Array): number {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  return largest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
}

/** Σ choices · q */
function balanceOf(
  scores: Float64Array,
  { choices }: Pick<NonNullable<RouterPull["balance"]>, "choices">,
): number {
  const total = scores.reduce((sum, score) => sum + score, 0);
  return scores.reduce((sum, score, expert) => sum + (score * choices[expert]!) / total, 0);
}

/** What a token adds to the loss. */
export function routerPullLoss(
  logits: Float64Array,
  { balance, logarithm = 0 }: RouterPull,
  rule: Pick<RoutingRule, "scoring">,
): number {
  const balanced =
    balance === undefined ? 0 : balance.factor * balanceOf(scoresOf(logits, rule), balance);
  return balanced + (logarithm / 2) * logarithmOfSum(logits) ** 2;
}

/** The gradient of that in all logits. */
export function routerPullGradient(
  logits: Float64Array,
  { balance, logarithm = 0 }: RouterPull,
  rule: Pick<RoutingRule, "scoring">,
): Float64Array {
  const ofSum = logarithm === 0 ? 0 : logarithm * logarithmOfSum(logits);
  const gradient = scoresOf(logits, {}).map((p) => p * ofSum);
  if (balance === undefined) return gradient;
  const scores = scoresOf(logits, rule);
  const total = scores.reduce((sum, score) => sum + score, 0);
  const mean = balanceOf(scores, balance);
  for (const [expert, score] of scores.entries()) {
    const slope = rule.scoring === "sigmoid" ? 1 - score : 1;
    gradient[expert]! +=
      (balance.factor * score * slope * (balance.choices[expert]! - mean)) / total;
  }
  return gradient;
}
