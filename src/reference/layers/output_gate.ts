// What attention gives, number by number times the sigmoid of a projection of what the layer reads.

import type { AttentionLayer } from "../../plan/layers/attention.ts";
import { sigmoid } from "../activations.ts";
import { activationGradients } from "../backward/gated_activation.ts";
import { gatedBy, type RoundingSteps, type Signal } from "../signal.ts";
import { addTo, combineValues, matrix, type Matrix, multiply } from "../tensor.ts";
import { type GradientContext, type ReferenceContext, referenceWeight } from "./context.ts";
import { projectionGradient } from "./weight_gradients.ts";

export function gatedResult(
  context: ReferenceContext,
  layer: AttentionLayer,
  x: Matrix,
  attended: Matrix,
): Matrix {
  if (layer.outputGate === undefined) return attended;
  const logits = multiply(x, weightOf(context, layer));
  return combineValues(logits, attended, (logit, value) => sigmoid(logit) * value);
}

/** @returns the gradients of what attention gives, and where there is a gate of x by it */
export function gatedResultGradient(
  context: GradientContext,
  layer: AttentionLayer,
  x: Matrix,
  attended: Matrix,
  dy: Matrix,
): { readonly dattended: Matrix; readonly addDx: (dx: Matrix) => Matrix } {
  if (layer.outputGate === undefined) return { dattended: dy, addDx: (dx) => dx };
  const weight = weightOf(context, layer);
  const logits = multiply(x, weight);
  const { rows, columns } = attended;
  const gradients = activationGradients(
    { activation: "sigmoid" },
    dy.data,
    logits.data,
    attended.data,
  );
  const ofGate = projectionGradient(
    context,
    "gate/",
    x,
    weight,
    matrix(rows, columns, gradients.du),
  );
  return {
    dattended: matrix(rows, columns, gradients.dgate),
    addDx(dx) {
      addTo(dx.data, ofGate.data);
      return dx;
    },
  };
}

function weightOf(context: ReferenceContext, { hidden, heads, headDim }: AttentionLayer): Matrix {
  return referenceWeight(context, "gate/weight", hidden, heads * headDim);
}

export function gatedSignal(
  { product, stored }: RoundingSteps,
  { outputGate, hidden }: AttentionLayer,
  x: Signal,
  attended: Signal,
): Signal {
  return outputGate === undefined
    ? attended
    : gatedBy(stored(attended), product(x, hidden), sigmoid);
}
