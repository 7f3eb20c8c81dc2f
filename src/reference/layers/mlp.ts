// A feed-forward layer, with a gate where its activation is silu.

import type { MlpLayer } from "../../plan/layers/mlp.ts";
import { gelu, silu } from "../activations.ts";
import { combineValues, mapValues, multiply } from "../tensor.ts";
import { type ReferenceLayer, referenceWeight } from "./context.ts";

export const mlp: ReferenceLayer<MlpLayer> = {
  apply(context, { hidden, ffn, activation }, x) {
    const up = multiply(x, referenceWeight(context, "up/weight", hidden, ffn));
    const inner =
      activation === "gelu"
        ? mapValues(up, gelu)
        : combineValues(
            multiply(x, referenceWeight(context, "gate/weight", hidden, ffn)),
            up,
            (gate, value) => silu(gate) * value,
          );
    return { output: multiply(inner, referenceWeight(context, "down/weight", ffn, hidden)) };
  },
  round: ({ stored, feedForward }, layer, x) => stored(feedForward(x, layer)),
};
