// A feed-forward layer.

import type { MlpLayer } from "../../plan/layers/mlp.ts";
import type { Affine } from "../tensor.ts";
import { affine, type ReferenceContext, type ReferenceLayer } from "./context.ts";
import { feedForward, feedForwardGradient, type NetworkPart } from "./feed_forward.ts";
import { addAffine } from "./weight_gradients.ts";

export const mlp: ReferenceLayer<MlpLayer> = {
  apply: (context, layer, x) => ({ output: feedForward(layer, x, partOf(context, layer)) }),
  gradient: (context, layer, x, dy) =>
    feedForwardGradient(layer, x, partOf(context, layer), dy, (name, gradient) =>
      addAffine(context, `${name}/`, gradient, layer.bias),
    ),
  round: ({ stored, feedForward: network }, layer, x) => stored(network(x, layer)),
};

function partOf(
  context: ReferenceContext,
  { hidden, ffn, bias }: MlpLayer,
): (name: NetworkPart) => Affine {
  return (name) =>
    name === "down"
      ? affine(context, "down/", ffn, hidden, bias)
      : affine(context, `${name}/`, hidden, ffn, bias);
}
