// Experts that every token passes, scaled by a gate of the token where there is one.

import type { MoeLayer } from "../../plan/layers/moe.ts";
import { sigmoid } from "../activations.ts";
import { affineGradients } from "../backward/product.ts";
import { addTo, type Affine, dot, matrix, type Matrix, rowOf, transform } from "../tensor.ts";
import { affine, type GradientContext, type ReferenceContext } from "./context.ts";
import { feedForward, feedForwardGradient, type NetworkPart } from "./feed_forward.ts";
import { addAffine } from "./weight_gradients.ts";

export function sharedExperts(context: ReferenceContext, layer: MoeLayer, x: Matrix): Matrix {
  const output = feedForward(layer, x, partOf(context, layer));
  return layer.sharedGate === true ? scaledRows(output, gatesOf(context, layer, x)) : output;
}

/** @returns the gradient of x */
export function sharedExpertsGradient(
  context: GradientContext,
  layer: MoeLayer,
  x: Matrix,
  dy: Matrix,
): Matrix {
  const part = partOf(context, layer);
  const through = (dOutput: Matrix): Matrix =>
    feedForwardGradient(layer, x, part, dOutput, (name, gradient) =>
      addAffine(context, `shared/${name}/`, gradient, layer.sharedBias),
    );
  if (layer.sharedGate !== true) return through(dy);
  const gates = gatesOf(context, layer, x);
  const dx = through(scaledRows(dy, gates));
  const output = feedForward(layer, x, part);
  const dLogits = gates.map(
    (gate, row) => gate * (1 - gate) * dot(rowOf(dy, row), rowOf(output, row)),
  );
  const { weight } = gateOf(context, layer);
  const gradients = affineGradients(x, weight, matrix(x.rows, 1, dLogits));
  addAffine(context, "shared/scale/", gradients);
  addTo(dx.data, gradients.dx.data);
  return dx;
}

function partOf(
  context: ReferenceContext,
  { hidden, sharedFfn = 0, sharedBias }: MoeLayer,
): (name: NetworkPart) => Affine {
  return (name) =>
    name === "down"
      ? affine(context, "shared/down/", sharedFfn, hidden, sharedBias)
      : affine(context, `shared/${name}/`, hidden, sharedFfn, sharedBias);
}

function gateOf(context: ReferenceContext, { hidden }: MoeLayer): Affine {
  return affine(context, "shared/scale/", hidden, 1);
}

/** One a row. */
function gatesOf(context: ReferenceContext, layer: MoeLayer, x: Matrix): Float64Array {
  return transform(x, gateOf(context, layer)).data.map(sigmoid);
}

function scaledRows(m: Matrix, factors: Float64Array): Matrix {
  return matrix(
    m.rows,
    m.columns,
    m.data.map((value, i) => value * factors[Math.floor(i / m.columns)]!),
  );
}
