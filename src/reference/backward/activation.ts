// Derivatives of the nonlinearities and of their gates, in f64.

import type { Activation } from "../../kernels/activation.ts";
import { activationFunctions, erf, gateFactor } from "../activations.ts";

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** Of x · sigmoid(steepness · x). */
function swishSlope(x: number, steepness: number): number {
  const share = sigmoid(steepness * x);
  return share * (1 + steepness * x * sigmoid(-steepness * x));
}

/** Of the tanh form. */
function geluSlope(x: number): number {
  const inner = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
  const steepness = Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x ** 2);
  const tanh = Math.tanh(inner);
  return 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh * tanh) * steepness;
}

const limit = 7;

const uncapped: Readonly<Record<Exclude<Activation, "softcap">, (x: number) => number>> = {
  none: () => 1,
  gelu: geluSlope,
  "gelu-erf": (x) =>
    0.5 * (1 + erf(x / Math.SQRT2)) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI),
  "quick-gelu": (x) => swishSlope(x, 1.702),
  silu: (x) => swishSlope(x, 1),
  relu: (x) => (x > 0 ? 1 : 0),
  relu2: (x) => 2 * Math.max(0, x),
  "clamped-silu": (x) => (x > limit ? 0 : swishSlope(x, 1.702)),
};

/** Derivative of `activationFunctions`; where that has a kink, the derivative below it. */
export function activationSlopes(activation: Activation, cap = Number.NaN): (x: number) => number {
  return activation === "softcap" ? (x) => 1 - Math.tanh(x / cap) ** 2 : uncapped[activation];
}

/** Derivative of `gateFactor`. */
export function gateSlope(activation: Activation, x: number): number {
  return activation === "clamped-silu" && Math.abs(x) > limit ? 0 : 1;
}

export interface GatedGradients {
  readonly du: Float64Array;
  /** Absent without a gate. */
  readonly dgate?: Float64Array;
}

/** Of h = activation(u) · gate, from the gradient of h. */
export function activationGradients(
  { activation, cap }: { readonly activation: Activation; readonly cap?: number },
  dh: Float64Array,
  u: Float64Array,
  gate?: Float64Array,
): GatedGradients {
  const [activate, slope] = [
    activationFunctions(activation, cap),
    activationSlopes(activation, cap),
  ];
  const factor = (i: number): number =>
    gate === undefined ? 1 : gateFactor(activation, gate[i] ?? Number.NaN);
  const du = dh.map((value, i) => value * factor(i) * slope(u[i] ?? Number.NaN));
  if (gate === undefined) return { du };
  const dgate = dh.map(
    (value, i) =>
      value * activate(u[i] ?? Number.NaN) * gateSlope(activation, gate[i] ?? Number.NaN),
  );
  return { du, dgate };
}
