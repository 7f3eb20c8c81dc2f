// A mixture of experts, along the choices of the run under test where they are given.

import { sigmoid } from "../activations.ts";
import type { MoeLayer } from "../../plan/layers/moe.ts";
import { rowsPerExpertGroup } from "../../program/layers/expert_columns.ts";
import { choiceWeights, comparesScores } from "../routing.ts";
import { gatedBy, type RoundingSteps, type Signal } from "../signal.ts";
import { combineValues, type Matrix, transform } from "../tensor.ts";
import {
  affine,
  biasOf,
  expertAffine,
  type ReferenceContext,
  type ReferenceLayer,
} from "./context.ts";
import { mixtureOfExperts } from "./experts.ts";
import { feedForward } from "./feed_forward.ts";

export const moe: ReferenceLayer<MoeLayer> = {
  apply(context, layer, x) {
    const { hidden, ffn, experts, topK } = layer;
    const part = (which: string, k: number, n: number) =>
      expertAffine(context, `experts/${which}`, experts, k, n, layer.expertBias);
    const { output, ...routing } = mixtureOfExperts(
      layer,
      x,
      {
        router: affine(context, "router/", hidden, experts, layer.routerBias),
        ...(layer.routingBias === true
          ? { correction: biasOf(context, "router/correction/", experts) }
          : {}),
        up: part("up", hidden, ffn),
        gate: part("gate", hidden, ffn),
        down: part("down", ffn, hidden),
      },
      rowsPerExpertGroup(layer, x.rows, context.rowsPerSample),
      context.routes,
    );
    const shared = layer.sharedFfn === undefined ? undefined : sharedExperts(context, layer, x);
    return {
      output: shared === undefined ? output : combineValues(output, shared, (a, b) => a + b),
      routing: { ...routing, choices: x.rows * topK },
    };
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

/** What every token passes, scaled by a gate of the token where there is one. */
function sharedExperts(context: ReferenceContext, layer: MoeLayer, x: Matrix): Matrix {
  const { hidden, sharedFfn: ffn = 0, sharedBias } = layer;
  const output = feedForward(layer, x, (name) =>
    name === "down"
      ? affine(context, "shared/down/", ffn, hidden, sharedBias)
      : affine(context, `shared/${name}/`, hidden, ffn, sharedBias),
  );
  if (layer.sharedGate !== true) return output;
  const gates = transform(x, affine(context, "shared/scale/", hidden, 1));
  const factors = gates.data.map(sigmoid);
  return {
    ...output,
    data: output.data.map((value, i) => value * factors[Math.floor(i / output.columns)]!),
  };
}
