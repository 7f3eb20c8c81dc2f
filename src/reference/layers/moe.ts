// A mixture of experts, along the choices of the run under test where they are given.

import type { MoeLayer } from "../../plan/layers/moe.ts";
import { rowsPerExpertGroup } from "../../program/layers/expert_columns.ts";
import { expertWeight, type ReferenceLayer, referenceWeight } from "./context.ts";
import { mixtureOfExperts } from "./experts.ts";

export const moe: ReferenceLayer<MoeLayer> = {
  apply(context, layer, x) {
    const { hidden, ffn, experts, topK } = layer;
    const part = (which: string, k: number, n: number) =>
      expertWeight(context, `experts/${which}/weight`, experts, k, n);
    const { output, ...routing } = mixtureOfExperts(
      layer,
      x,
      {
        router: referenceWeight(context, "router/weight", hidden, experts),
        up: part("up", hidden, ffn),
        gate: part("gate", hidden, ffn),
        down: part("down", ffn, hidden),
      },
      rowsPerExpertGroup(layer, x.rows, context.rowsPerSample),
      context.routes,
    );
    return { output, routing: { ...routing, choices: x.rows * topK } };
  },
  round({ stored, add, feedForward, product }, layer, x) {
    const logits = product(x, layer.hidden);
    const own = feedForward(x, layer);
    const weighted = { value: own.value, error: own.error + 2 * logits.error * own.value };
    // A token's weights add up to 1 at most; of what they leave of the value, the least counts.
    const least = layer.renormalise ? 1 / layer.topK : 1 / layer.experts;
    const routed = stored({ value: least * weighted.value, error: weighted.error });
    if (layer.sharedFfn === undefined) return routed;
    return add(routed, stored(feedForward(x, { ...layer, ffn: layer.sharedFfn })));
  },
  choiceError: ({ product }, { hidden }, x) => product(x, hidden).error,
};
