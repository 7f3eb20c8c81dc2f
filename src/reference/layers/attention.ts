// Attention with its projections; queries and keys normalized and turned between them.

import { attendedPairs } from "../../kernels/attention_shape.ts";
import type { AttentionLayer } from "../../plan/layers/attention.ts";
import { attend, type AttendShape } from "../attend.ts";
import { attendGradients } from "../backward/attention.ts";
import { affineGradients } from "../backward/product.ts";
import { scaleOf } from "../scores.ts";
import type { RoundingSteps, Signal } from "../signal.ts";
import { addTo, type Affine, type Matrix, transform } from "../tensor.ts";
import { affine, type ReferenceContext, type ReferenceLayer, referenceVector } from "./context.ts";
import type { Heads } from "./heads.ts";
import { latentHeads, latentHeadsGradient, latentSignals } from "./latent_attention.ts";
import { gatedResult, gatedResultGradient, gatedSignal } from "./output_gate.ts";
import { plainHeads, plainHeadsGradient, plainSignals } from "./plain_attention.ts";
import { addAffine } from "./weight_gradients.ts";

export const attention: ReferenceLayer<AttentionLayer> = {
  apply(context, layer, x) {
    const { q, k, v } = headsOf(context, layer, x);
    const attended = attend(shapeOf(context, layer), q, k, v, sinksOf(context, layer));
    const gated = gatedResult(context, layer, x, attended);
    return { output: transform(gated, outputOf(context, layer)) };
  },
  gradient(context, layer, x, dy) {
    const { name, gradientOf } = context;
    const { heads, latent, biases } = layer;
    const { q, k, v } = headsOf(context, layer, x);
    const shape = shapeOf(context, layer);
    const sinks = sinksOf(context, layer);
    const attended = attend(shape, q, k, v, sinks);
    const gated = gatedResult(context, layer, x, attended);
    const output = affineGradients(gated, outputOf(context, layer).weight, dy);
    addAffine(context, "output/", output, biases?.includes("output"));
    const { dattended, addDx } = gatedResultGradient(context, layer, x, attended, output.dx);
    const { dq, dk, dv, dsinks } = attendGradients(shape, q, k, v, dattended, sinks);
    if (sinks !== undefined) addTo(gradientOf(`${name}/sinks`, [heads]), dsinks);
    const dHeads = { q: dq, k: dk, v: dv };
    return addDx(
      latent === undefined
        ? plainHeadsGradient(context, layer, x, dHeads)
        : latentHeadsGradient(context, layer, latent, x, dHeads),
    );
  },
  round(steps, layer, x) {
    const { q, v } =
      layer.latent === undefined
        ? plainSignals(steps, layer, x)
        : latentSignals(steps, layer, layer.latent, x);
    const attended = gatedSignal(steps, layer, x, attendedSignal(steps, layer, q, v));
    const width = layer.heads * valueDimOf(layer);
    const isBiased = layer.biases?.includes("output");
    return steps.biased(steps.partial(steps.stored(attended), width, layer.groups), isBiased);
  },
};

function headsOf(context: ReferenceContext, layer: AttentionLayer, x: Matrix): Heads {
  const { latent } = layer;
  return latent === undefined
    ? plainHeads(context, layer, x)
    : latentHeads(context, layer, latent, x);
}

function outputOf(context: ReferenceContext, layer: AttentionLayer): Affine {
  const { heads, hidden, biases } = layer;
  const width = heads * valueDimOf(layer);
  return affine(context, "output/", width, hidden, biases?.includes("output"));
}

function sinksOf(
  context: ReferenceContext,
  { sinks, heads }: AttentionLayer,
): Float64Array | undefined {
  return sinks === undefined ? undefined : referenceVector(context, "sinks", heads, 0, "f32");
}

function shapeOf({ rowsPerSample }: ReferenceContext, layer: AttentionLayer): AttendShape {
  const { heads, kvHeads, latent } = layer;
  return {
    ...scoreShape(layer),
    sequence: rowsPerSample,
    heads,
    kvHeads: latent === undefined ? kvHeads : heads,
    valueDim: valueDimOf(layer),
  };
}

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
