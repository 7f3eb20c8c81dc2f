// Of ½ · (y − target)².

import { combineValues, type Matrix } from "../tensor.ts";

export interface LossGradient {
  readonly loss: number;
  /** Of what the loss is taken of. */
  readonly gradient: Matrix;
}

/** Sum over all values. */
export function squaredError(y: Matrix, targets: Matrix): LossGradient {
  const gradient = combineValues(y, targets, (a, b) => a - b);
  return { loss: gradient.data.reduce((sum, value) => sum + value ** 2, 0) / 2, gradient };
}
