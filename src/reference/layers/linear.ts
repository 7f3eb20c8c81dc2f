// A linear layer and its activation.

import type { LinearLayer } from "../../plan/layers/linear.ts";
import { activationOf } from "../activations.ts";
import { mapValues, multiply, transpose } from "../tensor.ts";
import { type ReferenceLayer, tableOf, weight } from "./context.ts";

export const linear: ReferenceLayer<LinearLayer> = {
  apply(context, layer, x) {
    const weights = layer.tied
      ? transpose(tableOf(context, context.embedding))
      : weight(context, "weight", layer.in, layer.out);
    return { output: mapValues(multiply(x, weights), activationOf[layer.activation]) };
  },
  round: ({ stored, activated, partial }, layer, x) =>
    stored(activated(partial(x, layer.in, layer.groups), layer.activation)),
};
