// How far a right run's result may be from the reference: what rounding makes of a plan's layers, one after the other.
//
// Each value has a mean square, and so has its error. Storing adds u²/3 of the value's, a product over k another k·u²/3
// in the arithmetic's u (roundings are independent and of either sign: Higham and Mary, SIAM J. Sci. Comput. 41, 2019).
// A layer with random weights, which is what plans are run with, passes both on as mean-field theory says (Poole et
// al., Exponential Expressivity in Deep Neural Networks through Transient Chaos, 2016; Schoenholz et al., Deep
// Information Propagation, 2017): weights keep mean squares, an activation f makes E[f(z)²] of the value and E[f'(z)²]
// of the error, a norm divides both by the value's, a residual adds. So errors grow with the depth as in the network
// at hand: with its root behind norms and residuals, faster where gates multiply errors.

import type { Activation } from "../kernels/activation.ts";
import type { StorageType } from "../kernels/storage.ts";
import type { AttentionLayer, Layer, MoeLayer, Plan } from "../plan/plan.ts";
import { activationOf } from "../reference/activations.ts";
import { unitRoundoff } from "../reference/rounding.ts";

/** Mean squares. */
interface Signal {
  readonly value: number;
  readonly error: number;
}

export interface ExpectedError {
  /** Largest accepted error of the result, relative to its largest value. */
  readonly result: number;
  /** How far a chosen expert's logit may lie below one that was left out; 0 without experts. */
  readonly routing: number;
}

/** The largest of many errors against the largest of as many values, and what the model leaves out. */
const deviations = 8;

/** Where a right run may be off by more, the comparison says little: half of the largest value is found in any case. */
const largestResult = 0.5;

export function expectedError(plan: Plan): ExpectedError {
  const { dtype, sequence, batch, microBatches } = plan.workload;
  const rows = (batch / microBatches) * sequence;
  const step = stepsIn(dtype, sequence, rows);
  let routing = 0;
  // Uniform between -1 and 1, the same bits on both sides.
  let signal: Signal = { value: 1 / 3, error: 0 };
  for (const { layers } of plan.stages) {
    const inputs: Signal[] = [];
    for (const layer of layers) {
      inputs.push(signal);
      if (layer.op === "moe") routing = Math.max(routing, step.product(signal, layer.hidden).error);
      signal = step.layer(layer, signal, inputs);
    }
  }
  const relative = deviations * Math.sqrt(signal.error / signal.value);
  return {
    // Where a value fades away, its error is no number.
    result: relative < largestResult ? relative : largestResult,
    routing: deviations * Math.sqrt(2 * routing),
  };
}

function stepsIn(dtype: StorageType, sequence: number, rows: number) {
  const stored = ({ value, error }: Signal): Signal => ({
    value,
    error: error + (unitRoundoff[dtype] ** 2 / 3) * value,
  });
  const product = ({ value, error }: Signal, k: number): Signal =>
    stored({ value, error: error + (k * unitRoundoff.f32 ** 2 * value) / 3 });
  /** Partial sums of a group are stored before they are added up. */
  const partial = (x: Signal, k: number, groups: readonly (readonly number[])[]): Signal =>
    groups.some((group) => group.length > 1) ? stored(product(x, k)) : product(x, k);
  const activated = ({ value, error }: Signal, activation: Activation): Signal => {
    const { square, slope } = momentsOf(activation, value);
    return { value: square, error: slope * error };
  };
  const feedForward = (
    x: Signal,
    { hidden, ffn, activation }: { hidden: number; ffn: number; activation: "gelu" | "silu" },
  ): Signal => {
    const inner = product(x, hidden);
    const first = activated(inner, activation);
    if (activation === "gelu") return product(stored(first), ffn);
    const gated = {
      value: first.value * inner.value,
      error: first.error * inner.value + first.value * inner.error,
    };
    return product(stored(gated), ffn);
  };
  const attention = (x: Signal, layer: AttentionLayer): Signal => {
    const { value, error } = product(x, layer.hidden);
    // Weights of t keys have a mean square of e^(variance of the scores) / t, and at most 1.
    const spread = Math.exp(Math.min(value ** 2, 700));
    let share = 0;
    for (let t = 1; t <= sequence; t++) {
      share += Math.min(1, spread / (layer.causal ? t : sequence)) / sequence;
    }
    const attended = { value: share * value, error: share * error * (1 + 2 * value ** 2) };
    return partial(stored(attended), layer.heads * layer.headDim, layer.groups);
  };
  const experts = (x: Signal, layer: MoeLayer): Signal => {
    const logits = product(x, layer.hidden);
    const own = feedForward(x, layer);
    const weighted = { value: own.value, error: own.error + 2 * logits.error * own.value };
    // A token's weights add up to 1 at most; of what they leave of the value, the least counts.
    const least = layer.renormalise ? 1 / layer.topK : 1 / layer.experts;
    const routed = stored({ value: least * weighted.value, error: weighted.error });
    if (layer.sharedFfn === undefined) return routed;
    return add(routed, stored(feedForward(x, { ...layer, ffn: layer.sharedFfn })));
  };
  const add = (a: Signal, b: Signal): Signal =>
    stored({ value: a.value + b.value, error: a.error + b.error });
  const layerOf = (layer: Layer, x: Signal, inputs: readonly Signal[]): Signal => {
    switch (layer.op) {
      case "embedding":
        return { value: 1 / 3, error: 0 };
      case "linear":
        return stored(activated(partial(x, layer.in, layer.groups), layer.activation));
      case "attention":
        return attention(x, layer);
      case "mlp":
        return stored(feedForward(x, layer));
      case "moe":
        return experts(x, layer);
      case "norm": {
        const scale = x.value + layer.epsilon;
        return stored({ value: x.value / scale, error: x.error / scale });
      }
      case "residual":
        return add(x, inputs[layer.from] ?? x);
      case "aggregate": {
        const group = layer.over === "batch" ? rows : sequence;
        return stored({ value: x.value / group, error: x.error / group });
      }
    }
  };
  return { layer: layerOf, product };
}

/** E[f(z)²] and E[f'(z)²] for z normal with that variance. */
function momentsOf(
  activation: Activation,
  variance: number,
): { readonly square: number; readonly slope: number } {
  if (activation === "none") return { square: variance, slope: 1 };
  const f = activationOf[activation];
  const deviation = Math.sqrt(variance);
  let [square, slope, total] = [0, 0, 0];
  for (let step = -80; step < 80; step++) {
    const z = (step + 0.5) / 10;
    const weight = Math.exp(-(z ** 2) / 2);
    const at = z * deviation;
    const width = 1e-3 * Math.max(1, deviation);
    total += weight;
    square += weight * f(at) ** 2;
    slope += weight * ((f(at + width) - f(at - width)) / (2 * width)) ** 2;
  }
  return { square: square / total, slope: slope / total };
}
