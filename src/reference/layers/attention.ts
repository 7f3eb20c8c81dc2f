// Attention with its projections; queries and keys normalized and turned between them.

import { attendedPairs } from "../../kernels/attention_shape.ts";
import type { AttentionLayer } from "../../plan/layers/attention.ts";
import { attend } from "../attend.ts";
import { normalizeHeads } from "../head_norm.ts";
import { scaleOf } from "../scores.ts";
import { type RoundingSteps, amplified, type Signal } from "../signal.ts";
import { type Matrix, rowOf, transform } from "../tensor.ts";
import {
  biasOf,
  type ReferenceContext,
  type ReferenceLayer,
  referenceVector,
  referenceWeight,
} from "./context.ts";
import { type Heads, type HeadSignals, turnedSignal, turnHeads } from "./heads.ts";
import { latentHeads, latentSignals } from "./latent_attention.ts";

export const attention: ReferenceLayer<AttentionLayer> = {
  apply(context, layer, x) {
    const { hidden, heads, kvHeads, biases, latent, sinks } = layer;
    const { q, k, v } =
      latent === undefined ? plainHeads(context, layer, x) : latentHeads(context, layer, latent, x);
    const attended = attend(
      {
        ...scoreShape(layer),
        sequence: context.rowsPerSample,
        heads,
        kvHeads: latent === undefined ? kvHeads : heads,
        valueDim: valueDimOf(layer),
      },
      q,
      k,
      v,
      sinks === undefined ? undefined : referenceVector(context, "sinks", heads, 0, "f32"),
    );
    const width = heads * valueDimOf(layer);
    const bias = biases?.includes("output") ? biasOf(context, "output/", hidden) : undefined;
    const output = {
      weight: referenceWeight(context, "output/weight", width, hidden),
      ...(bias && { bias }),
    };
    return { output: transform(attended, output) };
  },
  round(steps, layer, x) {
    const { q, v } =
      layer.latent === undefined
        ? plainSignals(steps, layer, x)
        : latentSignals(steps, layer, layer.latent, x);
    const attended = attendedSignal(steps, layer, q, v);
    const width = layer.heads * valueDimOf(layer);
    const isBiased = layer.biases?.includes("output");
    return steps.biased(steps.partial(steps.stored(attended), width, layer.groups), isBiased);
  },
};

function valueDimOf({ headDim, latent }: AttentionLayer): number {
  return latent?.valueDim ?? headDim;
}

function scoreShape({ alibi, latent, ...layer }: AttentionLayer) {
  return {
    ...layer,
    headDim: layer.headDim + (latent?.rotaryDim ?? 0),
    ...(alibi === undefined ? {} : { alibi: { heads: layer.heads, first: 0 } }),
  };
}

function plainHeads(context: ReferenceContext, layer: AttentionLayer, x: Matrix): Heads {
  const { hidden, heads, kvHeads, headDim, biases, rotary, qkNorm } = layer;
  const project = (part: string, columns: number): Matrix => {
    const bias = biases?.includes("qkv") ? biasOf(context, `${part}/`, columns) : undefined;
    const own = referenceWeight(context, `${part}/weight`, hidden, columns);
    return transform(x, { weight: own, ...(bias && { bias }) });
  };
  const own = (part: string, count: number): Matrix => {
    const m = project(part, count * headDim);
    if (qkNorm !== undefined) {
      const isWeighted = qkNorm.kind !== "unweighted";
      const width = qkNorm.kind === "head" ? headDim : count * headDim;
      const gains = isWeighted
        ? referenceVector(context, `${part}/norm/gain`, width, 1)
        : undefined;
      const normed = { heads: count, headDim, ...(gains && { gains }) };
      for (let row = 0; row < m.rows; row++) normalizeHeads(rowOf(m, row), qkNorm, normed);
    }
    if (rotary !== undefined) turnHeads(m, count, headDim, 0, layer, context.rowsPerSample);
    return m;
  };
  return {
    q: own("q", heads),
    k: own("k", kvHeads),
    v: project("v", kvHeads * headDim),
  };
}

function plainSignals(
  { product, biased, stored, cached, sequence }: RoundingSteps,
  layer: AttentionLayer,
  x: Signal,
): HeadSignals {
  const { hidden, biases, qkNorm, rotary } = layer;
  const v = cached(biased(product(x, hidden), biases?.includes("qkv")));
  if (qkNorm === undefined && rotary === undefined) return { q: v, v };
  const scale = qkNorm === undefined ? 1 : 1 / (v.value + qkNorm.epsilon);
  return { q: stored(turnedSignal(amplified(v, scale), layer, sequence)), v };
}

function attendedSignal(
  { sequence, activated }: RoundingSteps,
  layer: AttentionLayer,
  q: Signal,
  v: Signal,
): Signal {
  const shape = scoreShape(layer);
  const { softcap } = shape;
  const factor = scaleOf(shape) ** 2 * shape.headDim * q.value;
  const products = { value: factor * q.value, error: factor * 2 * q.error };
  const scores = softcap === undefined ? products : activated(products, "softcap", softcap);
  // Of t keys with normal scores, E[Σe²ˢ] ÷ E[(Σeˢ)²] is what the squares of the weights w add up to.
  const spread = Math.exp(Math.min(scores.value, 700));
  const most = attendedPairs({ ...shape, sequence, causal: false }) / sequence;
  let [kept, moved] = [0, 0];
  for (let position = 1; position <= sequence; position++) {
    const keys = Math.min(most, layer.causal ? position : sequence);
    const square = spread / (spread + keys - 1);
    kept += square / sequence;
    // Errors of scores change them by Σw²(1 - 2w + Σw²), and Σw³ is no less than the square of Σw².
    moved += (square * (1 - square)) / sequence;
  }
  return { value: kept * v.value, error: kept * v.error + moved * v.value * scores.error };
}
