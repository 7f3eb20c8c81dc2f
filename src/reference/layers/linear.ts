// A linear layer and its activation.

import type { LinearLayer } from "../../plan/layers/linear.ts";
import { activationFunctions } from "../activations.ts";
import { mapValues, multiply, transpose } from "../tensor.ts";
import { type ReferenceLayer, tableOf, referenceWeight } from "./context.ts";

export const linear: ReferenceLayer<LinearLayer> = {
  apply(context, layer, x) {
    const weights = layer.tied
      ? transpose(tableOf(context, context.embedding))
      : referenceWeight(context, "weight", layer.in, layer.out);
    return { output: mapValues(multiply(x, weights), activationFunctions[layer.activation]) };
  },
  round: ({ stored, activated, partial }, layer, x) =>
    stored(activated(partial(x, layer.in, layer.groups), layer.activation)),
};
