// A feed-forward network, gated or not: dense, shared by all tokens, or one expert's.

import type { NetworkActivation } from "../../plan/activation.ts";
import { activationFunctions, gateFactor } from "../activations.ts";
import { activationSlopes, gateFactorSlope } from "../backward/activation.ts";
import { type AffineGradient, affineGradient } from "../backward/affine.ts";
import { addTo, type Affine, combineValues, mapValues, type Matrix, transform } from "../tensor.ts";

export interface Network {
  readonly activation: NetworkActivation;
  readonly gated: boolean;
}

export type NetworkPart = "up" | "gate" | "down";

/** @param part the network's matrix of that name */
export function feedForward(
  network: Network,
  x: Matrix,
  part: (name: NetworkPart) => Affine,
): Matrix {
  const up = transform(x, part("up"));
  const gate = network.gated ? transform(x, part("gate")) : undefined;
  return transform(innerOf(network, up, gate), part("down"));
}

function innerOf({ activation }: Network, up: Matrix, gate: Matrix | undefined): Matrix {
  const activate = activationFunctions(activation);
  return gate === undefined
    ? mapValues(up, activate)
    : combineValues(gate, up, (own, value) => activate(own) * gateFactor(activation, value));
}

/**
 * @param add takes the gradient of the network's matrix of that name
 * @returns the gradient of x
 */
export function feedForwardGradient(
  network: Network,
  x: Matrix,
  part: (name: NetworkPart) => Affine,
  dy: Matrix,
  add: (name: NetworkPart, gradient: AffineGradient) => void,
): Matrix {
  const { activation } = network;
  const weights = { up: part("up"), down: part("down") };
  const slope = activationSlopes(activation);
  const up = transform(x, weights.up);
  /** Of the matrix, from that of its product. Returns that of x. */
  const through = (name: NetworkPart, input: Matrix, { weight }: Affine, of: Matrix): Matrix => {
    const gradient = affineGradient(input, weight, of);
    add(name, gradient);
    return gradient.x;
  };
  if (!network.gated) {
    const inner = through("down", innerOf(network, up, undefined), weights.down, dy);
    const dUp = combineValues(inner, up, (value, at) => value * slope(at));
    return through("up", x, weights.up, dUp);
  }
  const gateWeights = part("gate");
  const gate = transform(x, gateWeights);
  const inner = through("down", innerOf(network, up, gate), weights.down, dy);
  const activate = activationFunctions(activation);
  const ofUp = combineValues(gate, up, (g, u) => activate(g) * gateFactorSlope(activation, u));
  const ofGate = combineValues(gate, up, (g, u) => slope(g) * gateFactor(activation, u));
  const times = (a: Matrix): Matrix => combineValues(inner, a, (value, by) => value * by);
  const dx = through("up", x, weights.up, times(ofUp));
  addTo(dx.data, through("gate", x, gateWeights, times(ofGate)).data);
  return dx;
}
