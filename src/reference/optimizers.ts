// What an optimizer makes of whole tensors and their gradients.

export interface AdamwOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** As long as the weights; zeros before the first step. */
export interface AdamwMoments {
  readonly first: Float64Array;
  readonly second: Float64Array;
}

/**
 * In place. Moments are corrected for their start at 0; decay is a share of the weight and no part of its gradient
 * (Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019, algorithm 2).
 *
 * @param step 1, 2, …
 */
export function adamwStep(
  weights: Float64Array,
  gradient: Float64Array,
  { first, second }: AdamwMoments,
  step: number,
  { learningRate, beta1, beta2, epsilon, weightDecay }: AdamwOptions,
): void {
  for (const [i, slope] of gradient.entries()) {
    const m = beta1 * first[i]! + (1 - beta1) * slope;
    const v = beta2 * second[i]! + (1 - beta2) * slope ** 2;
    first[i] = m;
    second[i] = v;
    const update = m / (1 - beta1 ** step) / (Math.sqrt(v / (1 - beta2 ** step)) + epsilon);
    weights[i]! -= learningRate * (update + weightDecay * weights[i]!);
  }
}

export interface SgdOptions {
  readonly learningRate: number;
  readonly momentum: number;
  /** Added to the gradient, as a share of the weight. */
  readonly weightDecay: number;
}

/**
 * In place, as `torch.optim.SGD` without dampening: velocity = momentum · velocity + gradient, which the weights follow
 * (Sutskever et al., On the importance of initialization and momentum in deep learning, 2013).
 *
 * @param velocity as long as the weights; zeros before the first step
 */
export function sgdStep(
  weights: Float64Array,
  gradient: Float64Array,
  velocity: Float64Array,
  { learningRate, momentum, weightDecay }: SgdOptions,
): void {
  for (const [i, slope] of gradient.entries()) {
    const moved = momentum * velocity[i]! + slope + weightDecay * weights[i]!;
    velocity[i] = moved;
    weights[i]! -= learningRate * moved;
  }
}

/** √ of the sum of all squares. */
export function globalNorm(gradients: Iterable<Float64Array>): number {
  let squares = 0;
  for (const gradient of gradients) {
    for (const value of gradient) squares += value ** 2;
  }
  return Math.sqrt(squares);
}

/** What gradients of that global norm are multiplied with, as `torch.nn.utils.clip_grad_norm_` does it. */
export function clipFactor(norm: number, largest: number): number {
  return Math.min(1, largest / (norm + 1e-6));
}
