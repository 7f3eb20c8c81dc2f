// The nonlinearities, in f64.

import type { Activation } from "../kernels/activation.ts";

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** Tanh form: Hendrycks and Gimpel, "Gaussian Error Linear Units", section 2. */
function gelu(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
}

/** 2/√π · e^(-x²) · Σ 2ⁿ x^(2n+1) / (2n+1)!!, whose terms have one sign (Abramowitz and Stegun, 7.1.6). */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

function quickGelu(x: number): number {
  return x * sigmoid(1.702 * x);
}

/** Of the gated network of gpt-oss: what is gated and its gate stay within it. */
export const clampLimit = 7;

const uncapped: Readonly<Record<Exclude<Activation, "softcap">, (x: number) => number>> = {
  none: (x) => x,
  gelu,
  "gelu-erf": (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  "quick-gelu": quickGelu,
  silu: (x) => x * sigmoid(x),
  relu: (x) => Math.max(0, x),
  relu2: (x) => Math.max(0, x) ** 2,
  "clamped-silu": (x) => quickGelu(Math.min(x, clampLimit)),
  sigmoid,
};

/** @param cap of `softcap` */
export function activationFunctions(
  activation: Activation,
  cap = Number.NaN,
): (x: number) => number {
  return activation === "softcap" ? (x) => cap * Math.tanh(x / cap) : uncapped[activation];
}

/** What a product behind the activation is multiplied by, where its gate holds `x`. */
export function gateFactor(activation: Activation, x: number): number {
  return activation === "clamped-silu" ? 1 + Math.min(clampLimit, Math.max(-clampLimit, x)) : x;
}
