/** Function that a matmul applies to its product. GELU is the tanh form. */
export type Activation = "none" | "gelu" | "silu" | "relu";

const codes: Record<Activation, number> = { none: 0, gelu: 1, silu: 2, relu: 3 };

/** The number by which shaders know an activation. */
export function activationCode(activation: Activation): number {
  return codes[activation];
}
