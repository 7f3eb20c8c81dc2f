// What finishes a product, in f64: an activation, a scale, a bias, gates, a residual.

import type { Finish } from "../../kernels/product.ts";
import { storedError, unitRoundoff } from "../../reference/rounding.ts";
import { activationFunctions, gateFactor, sigmoid } from "../../reference/activations.ts";

/** What a product is finished with at one place; 0, 1 and 0 where there is none. */
export interface FinishTerms {
  readonly bias: number;
  readonly gate: number;
  /** A logit. */
  readonly rowGate: number;
  readonly residual: number;
}

/** What the activation makes of a doubt of its argument, at most: none but ReLU's square is steeper than 1.13. */
function passedOn(value: number, doubt: number, { activation }: Finish): number {
  return activation === "relu2" ? (2 * Math.abs(value) + doubt) * doubt : 1.13 * doubt;
}

/** WGSL grants tanh an absolute error of 1e-5, and exp and a division some units. */
export function activationError(
  value: number,
  { activation, cap = 0 }: Pick<Finish, "activation" | "cap">,
): number {
  const size = Math.abs(value);
  switch (activation) {
    case "gelu":
      return 0.5e-5 * size;
    case "gelu-erf":
      // That of the formula, and of the exponential where its product with the tail is largest.
      return 5e-7 * size;
    case "silu":
      return (16 + 4 * size) * 2 ** -24 * size;
    case "quick-gelu":
    case "clamped-silu":
      return (16 + 7 * size) * 2 ** -24 * size;
    case "sigmoid":
      return (16 + 4 * size) * 2 ** -24 * sigmoid(value) + 2 ** -110;
    case "softcap":
      return 1e-5 * cap + 2 ** -23 * size;
    case "none":
    case "relu":
    case "relu2":
      return 0;
  }
}

export interface Finished {
  readonly value: number;
  /** How far a right kernel's result may be from it. */
  readonly accepted: number;
}

/**
 * activation(scale · product + bias) · gate · sigmoid(row gate) + residual.
 *
 * @param doubt how far the product that was finished may be from `product`
 */
export function finished(
  product: number,
  doubt: number,
  finish: Finish,
  { bias, gate, rowGate, residual }: FinishTerms,
): Finished {
  const { activation, scale = 1, cap } = finish;
  const scaled = scale * product;
  const activated = activationFunctions(activation, cap)(scaled + bias);
  const share = finish.rowGate === true ? 1 / (1 + Math.exp(-rowGate)) : 1;
  const factor = share * (finish.gate === true ? gateFactor(activation, gate) : 1);
  const shareError = finish.rowGate === true ? (16 + 4 * Math.abs(rowGate)) * unitRoundoff.f32 : 0;
  const value = activated * factor + residual;
  const inDoubt =
    Math.abs(scale) * doubt + 2 * unitRoundoff.f32 * (Math.abs(scaled) + Math.abs(bias));
  const lost =
    passedOn(scaled + bias, inDoubt, finish) +
    activationError(scaled + bias, finish) +
    storedError(activated, "f32");
  const accepted =
    Math.abs(factor) * lost +
    3 * storedError(activated * factor, "f32") +
    shareError * Math.abs(activated * factor) +
    // Of a gate that is all but shut: exponents end at 80.
    (finish.rowGate === true ? 2 ** -110 * Math.abs(activated) : 0) +
    storedError(residual, "f32");
  return { value, accepted };
}
