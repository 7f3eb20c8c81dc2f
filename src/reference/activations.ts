// The nonlinearities, in f64.

import type { Activation } from "../kernels/activation.ts";

export function silu(x: number): number {
  return x / (1 + Math.exp(-x));
}

/** Tanh form: Hendrycks and Gimpel, "Gaussian Error Linear Units", section 2. */
export function gelu(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

export const activationFunctions: Record<Activation, (x: number) => number> = {
  none: (x) => x,
  gelu,
  silu,
  relu: (x) => Math.max(0, x),
};
