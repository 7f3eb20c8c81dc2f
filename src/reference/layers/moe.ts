// A mixture of experts, along the choices of the run under test where they are given.

import { sigmoid } from "../activations.ts";
import type { MoeLayer } from "../../plan/layers/moe.ts";
import { rowsPerExpertGroup } from "../../program/layers/expert_columns.ts";
import { choiceWeights, comparesScores } from "../routing.ts";
import type { AffineGradients } from "../backward/product.ts";
import { gatedBy, type RoundingSteps, type Signal } from "../signal.ts";
import { addTo, combineValues, type Matrix } from "../tensor.ts";
import {
  affine,
  biasOf,
  expertAffine,
  type GradientContext,
  type ReferenceContext,
  type ReferenceLayer,
} from "./context.ts";
import {
  type Dispatch,
  dispatch,
  type ExpertWeights,
  mixtureGradient,
  mixtureOfExperts,
  routerLoss,
} from "./experts.ts";
import { sharedExperts, sharedExpertsGradient } from "./shared_experts.ts";
import { addAffine } from "./weight_gradients.ts";

export const moe: ReferenceLayer<MoeLayer> = {
  apply(context, layer, x) {
    const weights = weightsOf(context, layer);
    const dispatched = dispatchOf(context, layer, x, weights);
    const { routingGap, reroutedChoices } = dispatched;
    const output = mixtureOfExperts(layer, x, weights, dispatched);
    const shared = layer.sharedFfn === undefined ? undefined : sharedExperts(context, layer, x);
    return {
      output: shared === undefined ? output : combineValues(output, shared, (a, b) => a + b),
      routing: { routingGap, reroutedChoices, choices: x.rows * layer.topK },
      routerLoss: routerLoss(layer, dispatched, context.workload.microBatches),
    };
  },
  gradient(context, layer, x, dy) {
    const weights = weightsOf(context, layer);
    const dispatched = dispatchOf(context, layer, x, weights);
    const dx = mixtureGradient(layer, x, weights, dispatched, dy, context.workload.microBatches, {
      router: (gradient) => addAffine(context, "router/", gradient, layer.routerBias),
      network: (expert, part, gradient) =>
        addExpert(context, layer, `experts/${part}/`, expert, gradient),
    });
    if (layer.sharedFfn !== undefined) {
      addTo(dx.data, sharedExpertsGradient(context, layer, x, dy).data);
    }
    return dx;
  },
  round(steps, layer, x) {
    const { stored, add, product, feedForward: network } = steps;
    const routed = stored(routedSignal(steps, layer, x));
    if (layer.sharedFfn === undefined) return routed;
    const { sharedFfn: ffn, sharedBias: bias = false } = layer;
    const shared = network(x, { ...layer, ffn, bias });
    if (layer.sharedGate !== true) return add(routed, stored(shared));
    return add(routed, stored(gatedBy(shared, product(x, layer.hidden), sigmoid)));
  },
  choiceError({ product }, layer, x) {
    const { error } = product(x, layer.hidden);
    if (!comparesScores(layer, layer.routingBias === true)) return error;
    // No score's slope is above a quarter; two of them may be one key.
    return (error / 16) * (layer.groupLimit?.scoredBy === "two-best" ? 2 : 1);
  },
};

/** A token's choices are of independent experts: they add up as the squares of their weights do. */
function routedSignal(
  { feedForward: network, product, stored }: RoundingSteps,
  layer: MoeLayer,
  x: Signal,
): Signal {
  const logits = product(x, layer.hidden);
  let [value, error] = [0, 0];
  for (const weight of usualWeights(layer, logits.value)) {
    const square = weight ** 2;
    // Of a weight, relative to it: no scoring makes more of the errors of two logits.
    const weighted = (y: Signal): Signal => ({
      value: square * y.value,
      error: square * (y.error + 2 * logits.error * y.value),
    });
    const own = { ...layer, bias: layer.expertBias === true };
    const y =
      layer.weighsInput === true ? network(stored(weighted(x)), own) : weighted(network(x, own));
    value += y.value;
    error += y.error;
  }
  return { value, error };
}

/** Weights of the choices where logits lie as the order of normal ones does on average, about. */
function usualWeights(layer: MoeLayer, variance: number): Float64Array {
  const logits = Float64Array.from({ length: layer.experts }, (_, i) => {
    // Blom, Statistical Estimates and Transformed Beta-Variables, 1958; quantiles by Tukey's lambda.
    const above = (i + 0.625) / (layer.experts + 0.25);
    return (Math.sqrt(variance) * ((1 - above) ** 0.135 - above ** 0.135)) / 0.1975;
  });
  return choiceWeights(
    logits,
    Uint32Array.from({ length: layer.topK }, (_, i) => i),
    layer,
  );
}

function weightsOf(context: ReferenceContext, layer: MoeLayer): ExpertWeights {
  const { hidden, ffn, experts } = layer;
  const part = (which: string, k: number, n: number) =>
    expertAffine(context, `experts/${which}`, experts, k, n, layer.expertBias);
  return {
    router: affine(context, "router/", hidden, experts, layer.routerBias),
    ...(layer.routingBias === true
      ? { correction: biasOf(context, "router/correction/", experts) }
      : {}),
    up: part("up", hidden, ffn),
    gate: part("gate", hidden, ffn),
    down: part("down", ffn, hidden),
  };
}

function dispatchOf(
  { rowsPerSample, routes }: ReferenceContext,
  layer: MoeLayer,
  x: Matrix,
  weights: ExpertWeights,
): Dispatch {
  return dispatch(layer, x, weights, rowsPerExpertGroup(layer, x.rows, rowsPerSample), routes);
}

/** Of an expert's matrix `part`, as `expertAffine` names it. */
function addExpert(
  { gradientOf, name }: GradientContext,
  { experts, expertBias }: MoeLayer,
  part: string,
  expert: number,
  { dw, dbias }: AffineGradients,
): void {
  const { rows, columns, data } = dw;
  const all = gradientOf(`${name}/${part}weight`, [experts, rows, columns]);
  addTo(all.subarray(expert * data.length, (expert + 1) * data.length), data);
  if (expertBias !== true) return;
  const biases = gradientOf(`${name}/${part}bias`, [experts, 1, columns]);
  addTo(biases.subarray(expert * columns, (expert + 1) * columns), dbias);
}
