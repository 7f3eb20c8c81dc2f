// The slope of a plan's loss by differences of two forward passes, which no rule of the backward pass has a part in.

import type { Plan } from "../../src/plan/plan.ts";
import { hashSource } from "../../src/program/hash_source.ts";
import { forward } from "../../src/reference/forward.ts";
import { lossGradient } from "../../src/reference/loss.ts";
import { alteredSource } from "./altered_source.ts";

/** Small enough that no token changes its experts, large enough that rounding does not matter. */
const step = 1e-5;

/** Of the loss, along a direction in which a tensor is moved; in values of forward passes alone. */
export async function slopeAlong(
  given: Plan,
  tensor: string,
  direction: Float64Array,
): Promise<number> {
  const losses: number[] = [];
  for (const times of [1, -1]) {
    const source = alteredSource(hashSource(given.workload.seed), (name, i, value) =>
      name === tensor ? value + times * step * direction[i]! : value,
    );
    let loss = 0;
    for (let microBatch = 0; microBatch < given.workload.microBatches; microBatch++) {
      const { output, routerLoss } = await forward(given, microBatch, new Map(), source);
      loss += lossGradient(given, microBatch, output, source).loss + routerLoss;
    }
    losses.push(loss);
  }
  const [after, before] = losses as [number, number];
  return (after - before) / (2 * step);
}
