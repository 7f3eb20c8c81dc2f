// A linear layer and its activation.

import type { LinearLayer } from "../../plan/layers/linear.ts";
import { tableScale } from "../../program/layers/embedding_table.ts";
import { activationFunctions } from "../activations.ts";
import { amplified } from "../signal.ts";
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
  round({ stored, activated, partial, biased }, layer, x) {
    const { tied = false, scale = 1, bias, activation, cap } = layer;
    // A table's values are larger than those of weights, which keep mean squares.
    const gain = scale ** 2 * (tied ? (layer.in * tableScale ** 2) / 3 : 1);
    const product = amplified(partial(x, layer.in, layer.groups), gain);
    return stored(activated(biased(product, bias), activation, cap));
  },
};
