// What a micro-batch adds to the loss of a step, and to the gradient of it.

import { lossOf } from "../plan/loss.ts";
import type { Plan } from "../plan/plan.ts";
import type { ContentSource } from "../program/content_source.ts";
import { contentValues } from "../program/content_values.ts";
import { crossEntropy, type LossGradient, squaredError } from "./backward/losses.ts";
import { mapValues, matrix, type Matrix } from "./tensor.ts";

/**
 * Its share of the mean over the whole batch, so that those of all micro-batches add up to it.
 *
 * @param output of the plan, of that micro-batch
 */
export function lossGradient(
  plan: Plan,
  microBatch: number,
  output: Matrix,
  source: ContentSource,
): LossGradient {
  const { batch, microBatches, sequence } = plan.workload;
  const { rows, columns } = output;
  const definition = lossOf(plan);
  if (definition.kind === "cross-entropy") {
    const tokens = batch * sequence;
    const labels = contentValues(
      {
        kind: "ids",
        tensor: "ids",
        vocabulary: definition.vocabulary,
        shape: [tokens],
        offset: [microBatch * rows],
        size: [rows],
        ahead: 1,
      },
      source,
      "f32",
    );
    return scaledLoss(crossEntropy(output, labels), 1 / tokens);
  }
  const targets = contentValues(
    {
      kind: "uniform",
      tensor: "targets",
      center: 0,
      scale: 1,
      shape: [microBatches * rows, columns],
      offset: [microBatch * rows, 0],
      size: [rows, columns],
    },
    source,
    plan.workload.dtype,
  );
  const error = squaredError(output, matrix(rows, columns, targets));
  return scaledLoss(error, 1 / (microBatches * rows * columns));
}

function scaledLoss({ loss, gradient }: LossGradient, factor: number): LossGradient {
  return { loss: factor * loss, gradient: mapValues(gradient, (value) => factor * value) };
}
