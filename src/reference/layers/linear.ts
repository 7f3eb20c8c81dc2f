// A linear layer and its activation.

import type { LinearLayer } from "../../plan/layers/linear.ts";
import { activationOf } from "../activations.ts";
import { mapValues, transform, transpose } from "../tensor.ts";
import { biasOf, type ReferenceLayer, tableOf, weight } from "./context.ts";

export const linear: ReferenceLayer<LinearLayer> = {
  apply(context, layer, x) {
    const weights = layer.tied
      ? transpose(tableOf(context, context.embedding))
      : weight(context, "weight", layer.in, layer.out);
    const product = transform(x, {
      weight: weights,
      ...(layer.bias === true ? { bias: biasOf(context, "", layer.out) } : {}),
    });
    return { output: mapValues(product, activationOf[layer.activation]) };
  },
  round: ({ stored, activated, partial, biased }, layer, x) =>
    stored(activated(biased(partial(x, layer.in, layer.groups), layer.bias), layer.activation)),
};
