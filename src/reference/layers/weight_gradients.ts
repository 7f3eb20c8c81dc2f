// Adds to gradients of weights under the names and in the shapes that their contents have.

import { type AffineGradient, affineGradient } from "../backward/affine.ts";
import { normGradient } from "../backward/norm.ts";
import { addTo, matrix, type Matrix, rowOf } from "../tensor.ts";
import type { GradientContext } from "./context.ts";

/** Of the layer's matrix `part`, as `affine` names it. */
export function addAffine(
  { gradientOf, name }: GradientContext,
  part: string,
  { weight, bias }: AffineGradient,
  isBiased = false,
): void {
  addTo(gradientOf(`${name}/${part}weight`, [weight.rows, weight.columns]), weight.data);
  if (isBiased) addTo(gradientOf(`${name}/${part}bias`, [bias.length]), bias);
}

/** Of x · weight, of the layer's matrix `part` without a bias. Returns that of x. */
export function projectionGradient(
  context: GradientContext,
  part: string,
  x: Matrix,
  weight: Matrix,
  dy: Matrix,
): Matrix {
  const gradient = affineGradient(x, weight, dy);
  addAffine(context, part, gradient);
  return gradient.x;
}

/** Of rows that are normalized as `normalise` does it; `part` is empty or ends with a slash. Returns that of x. */
export function rowNormGradient(
  { gradientOf, name }: GradientContext,
  part: string,
  x: Matrix,
  gain: Float64Array,
  dy: Matrix,
  norm: { readonly isCentered: boolean; readonly epsilon: number; readonly isBiased: boolean },
): Matrix {
  const out = matrix(x.rows, x.columns);
  const size = [x.columns];
  const gainGradient = gradientOf(`${name}/${part}gain`, size);
  const biasGradient = norm.isBiased ? gradientOf(`${name}/${part}bias`, size) : undefined;
  for (let row = 0; row < x.rows; row++) {
    const own = rowOf(dy, row);
    const scaled = own.map((value, c) => value * gain[c]!);
    const { normalized, x: dx } = normGradient(rowOf(x, row), scaled, norm);
    rowOf(out, row).set(dx);
    if (biasGradient !== undefined) addTo(biasGradient, own);
    addTo(
      gainGradient,
      own.map((value, c) => value * normalized[c]!),
    );
  }
  return out;
}
