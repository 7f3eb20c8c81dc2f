import type { NetworkActivation } from "../plan/activation.ts";

/** Function that a matmul applies to its product. `softcap` is cap · tanh(x / cap). */
export type Activation = "none" | "softcap" | NetworkActivation;

/** The prelude that defines it. */
export function activationPrelude(activation: Activation): string {
  return `activations/${activation.replaceAll("-", "_")}`;
}
