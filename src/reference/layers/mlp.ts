// A feed-forward layer.

import type { MlpLayer } from "../../plan/layers/mlp.ts";
import { affine, type ReferenceLayer } from "./context.ts";
import { feedForward } from "./feed_forward.ts";

export const mlp: ReferenceLayer<MlpLayer> = {
  apply(context, layer, x) {
    const { hidden, ffn, bias } = layer;
    const output = feedForward(layer, x, (name) =>
      name === "down"
        ? affine(context, "down/", ffn, hidden, bias)
        : affine(context, `${name}/`, hidden, ffn, bias),
    );
    return { output };
  },
  round: ({ stored, feedForward: network }, layer, x) => stored(network(x, layer)),
};
