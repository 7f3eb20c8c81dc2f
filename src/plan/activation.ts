// The nonlinearities of networks by their names in plans.

/**
 * - `gelu`: GELU in its tanh form; `gelu-erf` as it is defined; `quick-gelu` x · sigmoid(1.702 · x)
 * - `silu`: x · sigmoid(x)
 * - `relu2`: the square of ReLU
 * - `clamped-silu`: quick GELU of x ≤ 7; what it gates is clamped to ±7 and one more (gpt-oss)
 */
export const activations = [
  "gelu",
  "gelu-erf",
  "quick-gelu",
  "silu",
  "relu",
  "relu2",
  "clamped-silu",
] as const;

/** Of a network's inner values. */
export type NetworkActivation = (typeof activations)[number];

interface Network {
  readonly activation: NetworkActivation;
  readonly gated: boolean;
}

/** With what a file leaves open: SiLU is of gated networks, GELU of others. */
export function networkOf({ activation, gated }: Partial<Network>): Network {
  const isGated = gated ?? activation === "silu";
  return { activation: activation ?? (isGated ? "silu" : "gelu"), gated: isGated };
}
