// Queries, keys and values of attention that is not latent: projected, and the first two normalized and turned.

import type { AttentionLayer } from "../../plan/layers/attention.ts";
import { headNormGradient, type WholeHeads } from "../backward/head_norm.ts";
import { affineGradients } from "../backward/product.ts";
import { normalizeHeads } from "../head_norm.ts";
import { amplified, type RoundingSteps, type Signal } from "../signal.ts";
import { addTo, matrix, type Matrix, rowOf, transform } from "../tensor.ts";
import { affine, type GradientContext, type ReferenceContext, referenceVector } from "./context.ts";
import { type Heads, type HeadSignals, temperQueries, turnedSignal, turnHeads } from "./heads.ts";
import { addAffine } from "./weight_gradients.ts";

export function plainHeads(context: ReferenceContext, layer: AttentionLayer, x: Matrix): Heads {
  const { headDim, qkNorm } = layer;
  const projected = (part: keyof Heads): Matrix => transform(x, projectionOf(context, layer, part));
  const turned = (part: "q" | "k"): Matrix => {
    const m = projected(part);
    if (qkNorm !== undefined) {
      const normed = normOf(context, layer, part);
      for (let row = 0; row < m.rows; row++) normalizeHeads(rowOf(m, row), qkNorm, normed);
    }
    turnHeads(m, headsOf(layer, part), headDim, 0, layer, context.rowsPerSample);
    if (part === "q") temperQueries(m, layer, context.rowsPerSample);
    return m;
  };
  return { q: turned("q"), k: turned("k"), v: projected("v") };
}

/** @returns the gradient of x */
export function plainHeadsGradient(
  context: GradientContext,
  layer: AttentionLayer,
  x: Matrix,
  dHeads: Heads,
): Matrix {
  const { headDim, qkNorm, biases } = layer;
  const dx = matrix(x.rows, x.columns);
  for (const part of ["q", "k", "v"] as const) {
    const dPart = dHeads[part];
    const own = projectionOf(context, layer, part);
    if (part === "q") temperQueries(dPart, layer, context.rowsPerSample);
    if (part !== "v") {
      turnHeads(dPart, headsOf(layer, part), headDim, 0, layer, context.rowsPerSample, -1);
      if (qkNorm !== undefined) {
        const normed = normOf(context, layer, part);
        const dGains =
          normed.gains &&
          context.gradientOf(`${context.name}/${part}/norm/gain`, [normed.gains.length]);
        const m = transform(x, own);
        for (let row = 0; row < m.rows; row++) {
          const dRow = rowOf(dPart, row);
          dRow.set(headNormGradient(rowOf(m, row), dRow, qkNorm, normed, dGains));
        }
      }
    }
    const gradients = affineGradients(x, own.weight, dPart);
    addAffine(context, `${part}/`, gradients, biases?.includes("qkv"));
    addTo(dx.data, gradients.dx.data);
  }
  return dx;
}

function headsOf({ heads, kvHeads }: AttentionLayer, part: keyof Heads): number {
  return part === "q" ? heads : kvHeads;
}

function projectionOf(context: ReferenceContext, layer: AttentionLayer, part: keyof Heads) {
  const { hidden, headDim, biases } = layer;
  const columns = headsOf(layer, part) * headDim;
  return affine(context, `${part}/`, hidden, columns, biases?.includes("qkv"));
}

function normOf(context: ReferenceContext, layer: AttentionLayer, part: "q" | "k"): WholeHeads {
  const { headDim, qkNorm } = layer;
  const heads = headsOf(layer, part);
  if (qkNorm?.kind === "unweighted") return { heads, headDim };
  const width = qkNorm?.kind === "head" ? headDim : heads * headDim;
  return { heads, headDim, gains: referenceVector(context, `${part}/norm/gain`, width, 1) };
}

export function plainSignals(
  { product, biased, stored, cached, sequence }: RoundingSteps,
  layer: AttentionLayer,
  x: Signal,
): HeadSignals {
  const { hidden, biases, qkNorm, rotary, temperature } = layer;
  const v = cached(biased(product(x, hidden), biases?.includes("qkv")));
  const isPlaced = rotary !== undefined || temperature !== undefined;
  if (qkNorm === undefined && !isPlaced) return { q: v, v };
  const scale = qkNorm === undefined ? 1 : 1 / (v.value + qkNorm.epsilon);
  return { q: stored(turnedSignal(amplified(v, scale), layer, sequence)), v };
}
