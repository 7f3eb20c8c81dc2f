// A linear layer and its activation.

import type { LinearLayer } from "../../plan/layers/linear.ts";
import { activationFunctions } from "../activations.ts";
import { mapValues, scaled, transform, transpose } from "../tensor.ts";
import { biasOf, type ReferenceLayer, tableOf, referenceWeight } from "./context.ts";

export const linear: ReferenceLayer<LinearLayer> = {
  apply(context, layer, x) {
    const weights = layer.tied
      ? transpose(tableOf(context, context.embedding))
      : referenceWeight(context, "weight", layer.in, layer.out);
    const product = transform(scaled(x, layer.scale), {
      weight: weights,
      ...(layer.bias === true ? { bias: biasOf(context, "", layer.out) } : {}),
    });
    const activate = activationFunctions(layer.activation, layer.cap);
    return { output: mapValues(product, activate) };
  },
  round: ({ stored, activated, partial, biased }, layer, x) =>
    stored(activated(biased(partial(x, layer.in, layer.groups), layer.bias), layer.activation)),
};
