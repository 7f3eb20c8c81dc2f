// A feed-forward network, gated or not: dense, shared by all tokens, or one expert's.

import type { NetworkActivation } from "../../plan/activation.ts";
import { activationFunctions, gateFactor } from "../activations.ts";
import { activationGradients } from "../backward/gated_activation.ts";
import { type AffineGradients, affineGradients } from "../backward/product.ts";
import {
  addTo,
  type Affine,
  combineValues,
  mapValues,
  matrix,
  type Matrix,
  transform,
} from "../tensor.ts";

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
 * @param add takes the gradients of the network's matrix of that name
 * @returns the gradient of x
 */
export function feedForwardGradient(
  network: Network,
  x: Matrix,
  part: (name: NetworkPart) => Affine,
  dy: Matrix,
  add: (name: NetworkPart, gradients: AffineGradients) => void,
): Matrix {
  /** Of the matrix, from that of its product. Returns that of what it is multiplied with. */
  const through = (name: NetworkPart, input: Matrix, { weight }: Affine, dOut: Matrix): Matrix => {
    const gradients = affineGradients(input, weight, dOut);
    add(name, gradients);
    return gradients.dx;
  };
  const [up, down] = [part("up"), part("down")];
  const gate = network.gated ? part("gate") : undefined;
  const inner = transform(x, up);
  const gates = gate && transform(x, gate);
  const { data: dh } = through("down", innerOf(network, inner, gates), down, dy);
  const like = (data: Float64Array): Matrix => matrix(inner.rows, inner.columns, data);
  if (gate === undefined || gates === undefined) {
    return through("up", x, up, like(activationGradients(network, dh, inner.data).du));
  }
  // What is activated is the gate, and what `activationGradients` calls one is the other product.
  const { du, dgate } = activationGradients(network, dh, gates.data, inner.data);
  const dx = through("up", x, up, like(dgate!));
  addTo(dx.data, through("gate", x, gate, like(du)).data);
  return dx;
}
