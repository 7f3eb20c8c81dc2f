// Attention with its projections; queries and keys normalized and turned between them.

import { attendedPairs } from "../../kernels/attention_shape.ts";
import type { AttentionLayer } from "../../plan/layers/attention.ts";
import { attend } from "../attend.ts";
import { normalizeHeads } from "../head_norm.ts";
import { scaleOf } from "../scores.ts";
import type { RoundingSteps, Signal } from "../signal.ts";
import { type Matrix, rowOf, transform } from "../tensor.ts";
import {
  biasOf,
  type ReferenceContext,
  type ReferenceLayer,
  referenceVector,
  referenceWeight,
} from "./context.ts";
import { type Heads, type HeadSignals, scaled, turnedSignal, turnHeads } from "./heads.ts";
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
  return { q: stored(turnedSignal(scaled(v, scale), layer, sequence)), v };
}

function attendedSignal(
  { sequence }: RoundingSteps,
  layer: AttentionLayer,
  q: Signal,
  v: Signal,
): Signal {
  const shape = scoreShape(layer);
  const variance = scaleOf(shape) ** 2 * shape.headDim * q.value ** 2;
  // Weights of t keys have a mean square of e^(variance of the scores) / t, and at most 1.
  const spread = Math.exp(Math.min(variance, 700));
  const most = attendedPairs({ ...shape, sequence, causal: false }) / sequence;
  let share = 0;
  for (let t = 1; t <= sequence; t++) {
    share += Math.min(1, spread / Math.min(most, layer.causal ? t : sequence)) / sequence;
  }
  const moved = (2 * variance * v.value * q.error) / Math.max(q.value, Number.MIN_VALUE);
  return { value: share * v.value, error: share * (v.error + moved) };
}
