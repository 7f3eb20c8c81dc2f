// A mixture of experts, along the choices of the run under test where they are given.

import type { MoeLayer } from "../../plan/layers/moe.ts";
import { rowsPerExpertGroup } from "../../program/layers/expert_columns.ts";
import type { AffineGradients } from "../backward/product.ts";
import type { RoundingSteps, Signal } from "../signal.ts";
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
    };
  },
  gradient(context, layer, x, dy) {
    const weights = weightsOf(context, layer);
    const dispatched = dispatchOf(context, layer, x, weights);
    const dx = mixtureGradient(layer, x, weights, dispatched, dy, {
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
    const { stored, add, feedForward: network } = steps;
    const routed = stored(routedSignal(steps, layer, x));
    if (layer.sharedFfn === undefined) return routed;
    const { sharedFfn: ffn, sharedBias: bias = false } = layer;
    const shared = network(x, { ...layer, ffn, bias });
    // A sigmoid's mean square lies between a quarter and 1.
    const gate = layer.sharedGate === true ? 0.25 : 1;
    return add(routed, stored({ value: gate * shared.value, error: shared.error }));
  },
  choiceError: ({ product }, { hidden }, x) => product(x, hidden).error,
};

/** Of a token's weights, which add up to the scale where they are renormalised, the least that they leave of the value. */
function routedSignal(
  { feedForward: network, product }: RoundingSteps,
  layer: MoeLayer,
  x: Signal,
): Signal {
  const logits = product(x, layer.hidden);
  // A sigmoid's mean square again, of what the experts read.
  const read = layer.weighsInput === true ? { value: 0.25 * x.value, error: x.error } : x;
  const own = network(read, { ...layer, bias: layer.expertBias === true });
  const scale = (layer.routedScale ?? 1) ** 2;
  const error = own.error + 2 * logits.error * own.value;
  const isSigmoid = layer.scoring === "sigmoid" && !layer.renormalise;
  const least = layer.renormalise ? 1 / layer.topK : isSigmoid ? 0.25 : 1 / layer.experts;
  const most = isSigmoid ? layer.topK : 1;
  return { value: scale * least * own.value, error: scale * most * error };
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
