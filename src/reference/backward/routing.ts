// Of the weights of a token's experts. Which experts it takes has no gradient, nor has what only that depends on.

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
