// A feed-forward network, gated or not: dense, shared by all tokens, or one expert's.

import type { NetworkActivation } from "../../plan/activation.ts";
import { activationFunctions, gateFactor } from "../activations.ts";
import { type Affine, combineValues, mapValues, type Matrix, transform } from "../tensor.ts";

export interface Network {
  readonly activation: NetworkActivation;
  readonly gated: boolean;
}

/** @param part the network's matrix of that name */
export function feedForward(
  { activation, gated }: Network,
  x: Matrix,
  part: (name: "up" | "gate" | "down") => Affine,
): Matrix {
  const activate = activationFunctions(activation);
  const up = transform(x, part("up"));
  const inner = gated
    ? combineValues(
        transform(x, part("gate")),
        up,
        (gate, value) => activate(gate) * gateFactor(activation, value),
      )
    : mapValues(up, activate);
  return transform(inner, part("down"));
}
