// A linear layer and its activation.

import type { LinearLayer } from "../../plan/layers/linear.ts";
import { tableScale } from "../../program/layers/embedding_table.ts";
import { activationFunctions } from "../activations.ts";
import { amplified } from "../signal.ts";
import { activationSlopes } from "../backward/activation.ts";
import { affineGradients } from "../backward/product.ts";
import {
  addTo,
  type Affine,
  combineValues,
  mapValues,
  type Matrix,
  scaled,
  transform,
  transpose,
} from "../tensor.ts";
import {
  affine,
  biasOf,
  type GradientContext,
  type ReferenceContext,
  type ReferenceLayer,
  tableOf,
} from "./context.ts";
import { addAffine } from "./weight_gradients.ts";

export const linear: ReferenceLayer<LinearLayer> = {
  apply(context, layer, x) {
    const product = transform(scaled(x, layer.scale), weightsOf(context, layer));
    return { output: mapValues(product, activationFunctions(layer.activation, layer.cap)) };
  },
  gradient(context, layer, x, dy) {
    const weights = weightsOf(context, layer);
    const input = scaled(x, layer.scale);
    const slope = activationSlopes(layer.activation, layer.cap);
    const dProduct =
      layer.activation === "none"
        ? dy
        : combineValues(dy, transform(input, weights), (value, at) => value * slope(at));
    const { dx, dw, dbias } = affineGradients(input, weights.weight, dProduct);
    if (layer.tied === undefined) addAffine(context, "", { dw, dbias }, layer.bias);
    else addTied(context, dw, layer.bias === true ? dbias : undefined);
    return scaled(dx, layer.scale);
  },
  round({ stored, activated, partial, biased }, layer, x) {
    const { tied = false, scale = 1, bias, activation, cap } = layer;
    // A table's values are larger than those of weights, which keep mean squares.
    const gain = scale ** 2 * (tied ? (layer.in * tableScale ** 2) / 3 : 1);
    const product = amplified(partial(x, layer.in, layer.groups), gain);
    return stored(activated(biased(product, bias), activation, cap));
  },
};

function weightsOf(context: ReferenceContext, layer: LinearLayer): Affine {
  if (layer.tied === undefined) return affine(context, "", layer.in, layer.out, layer.bias);
  return {
    weight: transpose(tableOf(context, context.embedding)),
    ...(layer.bias === true ? { bias: biasOf(context, "", layer.out) } : {}),
  };
}

/** A tied head's gradient is its embedding's. */
function addTied(
  { gradientOf, name, embedding }: GradientContext,
  weight: Matrix,
  bias: Float64Array | undefined,
): void {
  if (embedding === undefined) throw new Error("no embedding to be tied to");
  const { vocabulary, hidden } = embedding.layer;
  addTo(gradientOf(`${embedding.name}/weight`, [vocabulary, hidden]), transpose(weight).data);
  if (bias !== undefined) addTo(gradientOf(`${name}/bias`, [bias.length]), bias);
}
