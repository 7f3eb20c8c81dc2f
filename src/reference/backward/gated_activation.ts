// Of an activation with a gate.

import type { Activation } from "../../kernels/activation.ts";
import { activationFunctions, gateFactor } from "../activations.ts";
import { activationSlopes, gateFactorSlope } from "./activation.ts";

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
      value * activate(u[i] ?? Number.NaN) * gateFactorSlope(activation, gate[i] ?? Number.NaN),
  );
  return { du, dgate };
}
