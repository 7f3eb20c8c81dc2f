// What finishes a product, in f64: an activation, a scale, a bias, a gate, a residual.

import type { Finish } from "../../kernels/product.ts";
import { storedError, unitRoundoff } from "../../reference/rounding.ts";
import { activationFunctions } from "../../reference/activations.ts";

/** What a product is finished with at one place; 0, 1 and 0 where there is none. */
export interface FinishTerms {
  readonly bias: number;
  readonly gate: number;
  readonly residual: number;
}

/** No activation is steeper. */
const steepest = 1.13;

/** WGSL grants tanh an absolute error of 1e-5, and exp and a division some units. */
function activationError(value: number, { activation }: Finish): number {
  if (activation === "gelu") return 0.5e-5 * Math.abs(value);
  if (activation === "silu") return (16 + 4 * Math.abs(value)) * 2 ** -24 * Math.abs(value);
  return 0;
}

export interface Finished {
  readonly value: number;
  /** How far a right kernel's result may be from it. */
  readonly accepted: number;
}

/**
 * activation(scale · product + bias) · gate + residual.
 *
 * @param doubt how far the product that was finished may be from `product`
 */
export function finished(
  product: number,
  doubt: number,
  finish: Finish,
  { bias, gate, residual }: FinishTerms,
): Finished {
  const { activation, scale = 1 } = finish;
  const scaled = scale * product;
  const activated = activationFunctions[activation](scaled + bias);
  const value = activated * gate + residual;
  const lost =
    steepest *
      (Math.abs(scale) * doubt + 2 * unitRoundoff.f32 * (Math.abs(scaled) + Math.abs(bias))) +
    activationError(scaled + bias, finish) +
    storedError(activated, "f32");
  const accepted =
    Math.abs(gate) * lost + 2 * storedError(activated * gate, "f32") + storedError(residual, "f32");
  return { value, accepted };
}
