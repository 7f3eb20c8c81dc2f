// What is minimized, with its gradient, as sums that a caller scales.

import { combineValues, matrix, type Matrix, rowOf } from "../tensor.ts";

export interface LossGradient {
  readonly loss: number;
  /** Of what the loss is taken of. */
  readonly gradient: Matrix;
}

/** Of ½ · (y − target)², the sum over all values. */
export function squaredError(y: Matrix, targets: Matrix): LossGradient {
  const gradient = combineValues(y, targets, (a, b) => a - b);
  return { loss: gradient.data.reduce((sum, value) => sum + value ** 2, 0) / 2, gradient };
}

/**
 * Of −log softmax(logits)[label], the sum over rows; the gradient of a row is its softmax less 1 at its label.
 *
 * @param logits [rows, classes]
 * @param labels one a row
 */
export function crossEntropy(logits: Matrix, labels: ArrayLike<number>): LossGradient {
  const gradient = matrix(logits.rows, logits.columns);
  let loss = 0;
  for (let row = 0; row < logits.rows; row++) {
    const own = rowOf(logits, row);
    const label = labels[row]!;
    const largest = own.reduce((most, logit) => Math.max(most, logit), -Infinity);
    const total = own.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
    loss += Math.log(total) + largest - own[label]!;
    const target = rowOf(gradient, row);
    target.set(own.map((logit) => Math.exp(logit - largest) / total));
    target[label]! -= 1;
  }
  return { loss, gradient };
}
