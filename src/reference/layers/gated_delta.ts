// Linear attention by the gated delta rule: projected, convolved, the rule, norms of heads, a gate, and out.

import type { DeltaHeads, GatedDeltaLayer } from "../../plan/layers/gated_delta.ts";
import { rateCenter } from "../../program/layers/gated_delta.ts";
import { activationFunctions, sigmoid } from "../activations.ts";
import { activationSlopes } from "../backward/activation.ts";
import { activationGradients } from "../backward/gated_activation.ts";
import { gatedDeltaGradients } from "../backward/gated_delta.ts";
import { headNormGradient } from "../backward/head_norm.ts";
import { affineGradients } from "../backward/product.ts";
import { causalConv, causalConvGradients } from "../causal_conv.ts";
import { type DeltaInputs, gatedDeltaRule } from "../gated_delta.ts";
import { normalizeHeads } from "../head_norm.ts";
import { gatedBy, type Signal } from "../signal.ts";
import {
  addTo,
  combineValues,
  mapValues,
  matrix,
  type Matrix,
  multiply,
  rowOf,
  transform,
} from "../tensor.ts";
import {
  affine,
  type GradientContext,
  type ReferenceContext,
  type ReferenceLayer,
  referenceVector,
  referenceWeight,
} from "./context.ts";
import { addAffine, projectionGradient } from "./weight_gradients.ts";

const silu = activationFunctions("silu");

export const gatedDelta: ReferenceLayer<GatedDeltaLayer> = {
  apply(context, layer, x) {
    const { inputs } = inputsOf(context, layer, x);
    const normed = normalized(context, layer, gatedDeltaRule(shapeOf(context, layer), inputs));
    const gated = combineValues(
      gateOf(context, layer, x),
      normed,
      (own, value) => silu(own) * value,
    );
    return { output: multiply(gated, outputOf(context, layer)) };
  },
  gradient(context, layer, x, dy) {
    const shape = shapeOf(context, layer);
    const { inputs, projected, convolved } = inputsOf(context, layer, x);
    const attended = gatedDeltaRule(shape, inputs);
    const normed = normalized(context, layer, attended);
    const gate = gateOf(context, layer, x);
    const gated = combineValues(gate, normed, (own, value) => silu(own) * value);
    const dGated = projectionGradient(context, "output/", gated, outputOf(context, layer), dy);
    const { du, dgate } = activationGradients(
      { activation: "silu" },
      dGated.data,
      gate.data,
      normed.data,
    );
    const like = (data: Float64Array | undefined): Matrix =>
      matrix(normed.rows, normed.columns, data);
    const dx = projectionGradient(context, "gate/", x, gateWeight(context, layer), like(du));
    const dAttended = normalizedGradient(context, layer, attended, like(dgate));
    const d = gatedDeltaGradients(shape, inputs, dAttended);
    addTo(context.gradientOf(`${context.name}/rates`, [layer.valueHeads]), d.rates);
    addTo(dx.data, perHeadGradients(context, layer, x, inputs, d).data);
    for (const part of ["q", "k", "v"] as const) {
      const dSum = combineValues(convolved[part], d[part], (u, g) => g * siluSlope(u));
      const conv = causalConvGradients(
        projected[part],
        convWeight(context, layer, part),
        dSum,
        shape.sequence,
      );
      addTo(
        context.gradientOf(`${context.name}/conv/${part}/weight`, [conv.dw.rows, conv.dw.columns]),
        conv.dw.data,
      );
      const own = projection(context, layer, part);
      addTo(dx.data, projectionGradient(context, `${part}/`, x, own, conv.dx).data);
    }
    return dx;
  },
  round: (steps, layer, x) => {
    const { hidden, kernel, valueHeads, valueDim, epsilon } = layer;
    const { product, activated, stored, partial } = steps;
    const conv = stored(activated(product(product(x, hidden), kernel), "silu"));
    const off = (signal: Signal): number => signal.error / signal.value;
    // Queries, keys, values and what steers the state are off by as much as their shares of a result; a norm makes
    // results equally large, and late results are sums of many.
    const normed = stored({
      value: 1 / (1 + epsilon),
      error: 3 * off(conv) + off(product(x, hidden)),
    });
    const gated = gatedBy(normed, product(x, hidden), silu);
    return partial(stored(gated), valueHeads * valueDim, layer.groups);
  },
};

const siluSlope = activationSlopes("silu");

type Part = "q" | "k" | "v";

function widthOf({ keyHeads, valueHeads, keyDim, valueDim }: DeltaHeads, part: Part): number {
  return part === "v" ? valueHeads * valueDim : keyHeads * keyDim;
}

function shapeOf({ rowsPerSample }: ReferenceContext, layer: GatedDeltaLayer) {
  const { keyHeads, valueHeads, keyDim, valueDim } = layer;
  return { sequence: rowsPerSample, keyHeads, valueHeads, keyDim, valueDim };
}

function projection(context: ReferenceContext, layer: GatedDeltaLayer, part: Part): Matrix {
  return referenceWeight(context, `${part}/weight`, layer.hidden, widthOf(layer, part));
}

function convWeight(context: ReferenceContext, layer: GatedDeltaLayer, part: Part): Matrix {
  return referenceWeight(context, `conv/${part}/weight`, layer.kernel, widthOf(layer, part));
}

type Parts = Readonly<Record<Part, Matrix>>;

function partsOf(of: (part: Part) => Matrix): Parts {
  return { q: of("q"), k: of("k"), v: of("v") };
}

function inputsOf(
  context: ReferenceContext,
  layer: GatedDeltaLayer,
  x: Matrix,
): { readonly inputs: DeltaInputs; readonly projected: Parts; readonly convolved: Parts } {
  const { hidden, valueHeads } = layer;
  const projected = partsOf((part) => multiply(x, projection(context, layer, part)));
  const convolved = partsOf((part) =>
    causalConv(projected[part], convWeight(context, layer, part), context.rowsPerSample),
  );
  const inputs = {
    ...partsOf((part) => mapValues(convolved[part], silu)),
    update: mapValues(multiply(x, updateWeight(context, layer)), sigmoid),
    step: transform(x, affine(context, "step/", hidden, valueHeads, true)),
    rates: referenceVector(context, "rates", valueHeads, rateCenter, "f32"),
  };
  return { inputs, projected, convolved };
}

function updateWeight(context: ReferenceContext, layer: GatedDeltaLayer): Matrix {
  return referenceWeight(context, "update/weight", layer.hidden, layer.valueHeads);
}

/** Of what steers the states. @returns the gradient of x */
function perHeadGradients(
  context: GradientContext,
  layer: GatedDeltaLayer,
  x: Matrix,
  { update }: DeltaInputs,
  d: Pick<DeltaInputs, "update" | "step">,
): Matrix {
  const { hidden, valueHeads } = layer;
  const dLogits = combineValues(d.update, update, (g, share) => g * share * (1 - share));
  const dx = projectionGradient(context, "update/", x, updateWeight(context, layer), dLogits);
  const { weight } = affine(context, "step/", hidden, valueHeads, true);
  const step = affineGradients(x, weight, d.step);
  addAffine(context, "step/", step, true);
  addTo(dx.data, step.dx.data);
  return dx;
}

function gateWeight(context: ReferenceContext, layer: GatedDeltaLayer): Matrix {
  return referenceWeight(context, "gate/weight", layer.hidden, widthOf(layer, "v"));
}

function gateOf(context: ReferenceContext, layer: GatedDeltaLayer, x: Matrix): Matrix {
  return multiply(x, gateWeight(context, layer));
}

function outputOf(context: ReferenceContext, layer: GatedDeltaLayer): Matrix {
  return referenceWeight(context, "output/weight", widthOf(layer, "v"), layer.hidden);
}

function headNormOf(context: ReferenceContext, { valueHeads, valueDim, epsilon }: GatedDeltaLayer) {
  const gains = referenceVector(context, "norm/gain", valueDim, 1);
  return {
    rule: { kind: "head", epsilon },
    heads: { heads: valueHeads, headDim: valueDim, gains },
  } as const;
}

function normalized(context: ReferenceContext, layer: GatedDeltaLayer, x: Matrix): Matrix {
  const { rule, heads } = headNormOf(context, layer);
  const out = matrix(x.rows, x.columns, x.data.slice());
  for (let row = 0; row < x.rows; row++) normalizeHeads(rowOf(out, row), rule, heads);
  return out;
}

function normalizedGradient(
  context: GradientContext,
  layer: GatedDeltaLayer,
  x: Matrix,
  dy: Matrix,
): Matrix {
  const { rule, heads } = headNormOf(context, layer);
  const dGains = context.gradientOf(`${context.name}/norm/gain`, [layer.valueDim]);
  const out = matrix(x.rows, x.columns);
  for (let row = 0; row < x.rows; row++) {
    rowOf(out, row).set(headNormGradient(rowOf(x, row), rowOf(dy, row), rule, heads, dGains));
  }
  return out;
}
