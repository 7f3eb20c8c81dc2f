// Adds to gradients of weights under the names and in the shapes that their contents have.

import { type NormRule, normGradients } from "../backward/norm_rows.ts";
import { type AffineGradients, affineGradients } from "../backward/product.ts";
import { addTo, type Matrix } from "../tensor.ts";
import type { GradientContext } from "./context.ts";

/** Of the layer's matrix `part`, as `affine` names it. */
export function addAffine(
  { gradientOf, name }: GradientContext,
  part: string,
  { dw, dbias }: Pick<AffineGradients, "dw" | "dbias">,
  isBiased = false,
): void {
  addTo(gradientOf(`${name}/${part}weight`, [dw.rows, dw.columns]), dw.data);
  if (isBiased) addTo(gradientOf(`${name}/${part}bias`, [dbias.length]), dbias);
}

/** Of x · weight, of the layer's matrix `part` without a bias. Returns that of x. */
export function projectionGradient(
  context: GradientContext,
  part: string,
  x: Matrix,
  weight: Matrix,
  dy: Matrix,
): Matrix {
  const gradients = affineGradients(x, weight, dy);
  addAffine(context, part, gradients);
  return gradients.dx;
}

/** Of rows that are normalized as `normalise` does it; `part` is empty or ends with a slash. Returns that of x. */
export function rowNormGradient(
  { gradientOf, name }: GradientContext,
  part: string,
  x: Matrix,
  gain: Float64Array,
  dy: Matrix,
  { isBiased = false, ...rule }: NormRule & { readonly isBiased?: boolean },
): Matrix {
  const { dx, dgain, dbias } = normGradients(x, gain, dy, rule);
  addTo(gradientOf(`${name}/${part}gain`, [x.columns]), dgain);
  if (isBiased) addTo(gradientOf(`${name}/${part}bias`, [x.columns]), dbias);
  return dx;
}
