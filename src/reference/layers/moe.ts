// A mixture of experts, along the choices of the run under test where they are given.

import type { MoeLayer } from "../../plan/layers/moe.ts";
import { rowsPerExpertGroup } from "../../program/layers/expert_columns.ts";
import type { RoundingSteps, Signal } from "../signal.ts";
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
  const factors = gates.data.map((logit) => 1 / (1 + Math.exp(-logit)));
  return {
    ...output,
    data: output.data.map((value, i) => value * factors[Math.floor(i / output.columns)]!),
  };
}
