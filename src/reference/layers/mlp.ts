// A feed-forward layer, with a gate where its activation is silu.

import type { MlpLayer } from "../../plan/layers/mlp.ts";
import { gelu, silu } from "../activations.ts";
import { combine, mapValues, type Matrix, transform } from "../tensor.ts";
import { affine, type ReferenceLayer } from "./context.ts";

export const mlp: ReferenceLayer<MlpLayer> = {
  apply(context, { hidden, ffn, activation, bias }, x) {
    const linear = (input: Matrix, part: string, k: number, n: number): Matrix =>
      transform(input, affine(context, `${part}/`, k, n, bias));
    const up = linear(x, "up", hidden, ffn);
    const inner =
      activation === "gelu"
        ? mapValues(up, gelu)
        : combine(linear(x, "gate", hidden, ffn), up, (gate, value) => silu(gate) * value);
    return { output: linear(inner, "down", ffn, hidden) };
  },
  round: ({ stored, feedForward }, layer, x) => stored(feedForward(x, layer)),
};
