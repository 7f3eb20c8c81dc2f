// A linear layer and its activation.

import type { LinearLayer } from "../../plan/layers/linear.ts";
import { activationFunctions } from "../activations.ts";
import { mapValues, transform, transpose } from "../tensor.ts";
import { biasOf, type ReferenceLayer, tableOf, referenceWeight } from "./context.ts";

export const linear: ReferenceLayer<LinearLayer> = {
  apply(context, layer, x) {
    const weights = layer.tied
      ? transpose(tableOf(context, context.embedding))
      : referenceWeight(context, "weight", layer.in, layer.out);
    const product = transform(x, {
      weight: weights,
      ...(layer.bias === true ? { bias: biasOf(context, "", layer.out) } : {}),
    });
    return { output: mapValues(product, activationFunctions[layer.activation]) };
  },
  round: ({ stored, activated, partial, biased }, layer, x) =>
    stored(activated(biased(partial(x, layer.in, layer.groups), layer.bias), layer.activation)),
};
