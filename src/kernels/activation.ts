/**
 * Function that a matmul applies to its product. `softcap` is cap · tanh(x / cap). `sigmoid` is for products with a gate:
 * padding is 0, its value of 0 is not, and the gate's padding makes it so.
 */
export type Activation =
  | "none"
  | "softcap"
  | "gelu"
  | "gelu-erf"
  | "quick-gelu"
  | "silu"
  | "relu"
  | "relu2"
  | "clamped-silu"
  | "sigmoid";

/** The prelude that defines it. */
export function activationPrelude(activation: Activation): string {
  return `activations/${activation.replaceAll("-", "_")}`;
}

/** The prelude that defines its derivative. */
export function slopePrelude(activation: Activation): string {
  return `slopes/${activation.replaceAll("-", "_")}`;
}
