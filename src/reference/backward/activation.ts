// Derivatives of the nonlinearities; at a corner, the one from the left for what is cut off below, as PyTorch has it.

import type { Activation } from "../../kernels/activation.ts";
import { clampLimit, erf, sigmoid } from "../activations.ts";

function sigmoidTimesSlope(x: number, steepness: number): number {
  const s = sigmoid(steepness * x);
  return s + steepness * x * s * (1 - s);
}

function geluSlope(x: number): number {
  const root = Math.sqrt(2 / Math.PI);
  const tanh = Math.tanh(root * (x + 0.044715 * x ** 3));
  return 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh ** 2) * root * (1 + 3 * 0.044715 * x ** 2);
}

/** Φ(x) + x · φ(x), of the normal distribution. */
function geluErfSlope(x: number): number {
  const density = Math.exp(-(x ** 2) / 2) / Math.sqrt(2 * Math.PI);
  return 0.5 * (1 + erf(x / Math.SQRT2)) + x * density;
}

const uncapped: Readonly<Record<Exclude<Activation, "softcap">, (x: number) => number>> = {
  none: () => 1,
  gelu: geluSlope,
  "gelu-erf": geluErfSlope,
  "quick-gelu": (x) => sigmoidTimesSlope(x, 1.702),
  silu: (x) => sigmoidTimesSlope(x, 1),
  relu: (x) => (x > 0 ? 1 : 0),
  relu2: (x) => 2 * Math.max(0, x),
  "clamped-silu": (x) => (x <= clampLimit ? sigmoidTimesSlope(x, 1.702) : 0),
  sigmoid: (x) => sigmoid(x) * sigmoid(-x),
};

/** @param cap of `softcap` */
export function activationSlopes(activation: Activation, cap = Number.NaN): (x: number) => number {
  return activation === "softcap" ? (x) => 1 - Math.tanh(x / cap) ** 2 : uncapped[activation];
}

/** Of `gateFactor`. */
export function gateFactorSlope(activation: Activation, x: number): number {
  return activation === "clamped-silu" && Math.abs(x) > clampLimit ? 0 : 1;
}
