// How far a right run's result may be from the reference: what rounding makes of a plan's layers, one after the other.
//
// Each value has a mean square, and so has its error. Storing adds u²/3 of the value's, a product over k another k·u²/3
// in the arithmetic's u (roundings are independent and of either sign: Higham and Mary, SIAM J. Sci. Comput. 41, 2019).
// A layer with random weights, which is what plans are run with, passes both on as mean-field theory says (Poole et
// al., Exponential Expressivity in Deep Neural Networks through Transient Chaos, 2016; Schoenholz et al., Deep
// Information Propagation, 2017): weights keep mean squares, an activation f makes E[f(z)²] of the value and E[f'(z)²]
// of the error, a norm divides both by the value's, a residual adds. So errors grow with the depth as in the network
// at hand: with its root behind norms and residuals, faster where gates multiply errors.

import type { Plan } from "../plan/plan.ts";
import { referenceOf } from "./layers/layers.ts";
import { roundingSteps, type Signal, uniformSignal } from "./signal.ts";

export interface ExpectedError {
  /** Largest accepted error of the result, relative to its largest value. */
  readonly result: number;
  /** How far a chosen expert's logit may lie below one that was left out; 0 without experts. */
  readonly routing: number;
}

/** The largest of many errors against the largest of as many values, and what the model leaves out. */
const deviations = 8;

/** Where a right run may be off by more, the comparison says little: half of the largest value is found in any case. */
const largestResult = 0.5;

export function expectedError(plan: Plan): ExpectedError {
  const steps = roundingSteps(plan.workload);
  let routing = 0;
  let signal = uniformSignal;
  for (const { layers } of plan.stages) {
    const inputs: Signal[] = [];
    for (const layer of layers) {
      inputs.push(signal);
      const { round, choiceError } = referenceOf(layer);
      routing = Math.max(routing, choiceError?.(steps, layer, signal) ?? 0);
      signal = round(steps, layer, signal, inputs);
    }
  }
  return {
    // NaN stays: no error is below it.
    result: Math.min(largestResult, deviations * Math.sqrt(signal.error / signal.value)),
    routing: deviations * Math.sqrt(2 * routing),
  };
}
