// LayerNorm takes the mean off, RMSNorm does not.

import { isBiasedNorm, type NormLayer } from "../../plan/layers/norm.ts";
import { matrix, rowOf, type Matrix } from "../tensor.ts";
import { type ReferenceLayer, referenceVector } from "./context.ts";
import { rowNormGradient } from "./weight_gradients.ts";

export const norm: ReferenceLayer<NormLayer> = {
  apply(context, layer, x) {
    const gain = referenceVector(context, "gain", layer.hidden, 1);
    const bias = isBiasedNorm(layer)
      ? referenceVector(context, "bias", layer.hidden, 0)
      : undefined;
    return { output: normalise(x, layer, gain, bias) };
  },
  gradient: (context, layer, x, dy) =>
    rowNormGradient(context, "", x, referenceVector(context, "gain", layer.hidden, 1), dy, {
      centered: layer.norm === "layer",
      epsilon: layer.epsilon,
      isBiased: isBiasedNorm(layer),
    }),
  round({ stored }, layer, x) {
    const scale = x.value + layer.epsilon;
    return stored({ value: x.value / scale, error: x.error / scale });
  },
};

/** Each row by its root mean square; a layer norm by its deviation from its mean. */
export function normalise(
  x: Matrix,
  { norm: kind, epsilon }: Pick<NormLayer, "norm" | "epsilon">,
  gain: Float64Array,
  bias?: Float64Array,
): Matrix {
  const out = matrix(x.rows, x.columns);
  for (let r = 0; r < x.rows; r++) {
    const row = rowOf(x, r);
    const mean = kind === "rms" ? 0 : row.reduce((sum, v) => sum + v, 0) / x.columns;
    const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / x.columns;
    const scale = 1 / Math.sqrt(variance + epsilon);
    rowOf(out, r).set(row.map((v, c) => (v - mean) * scale * (gain[c] ?? 0) + (bias?.[c] ?? 0)));
  }
  return out;
}
