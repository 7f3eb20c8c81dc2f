// Of a step of training also the loss, the gradient of every weight and the norm of all of them: held against the f64
// reference, or against the unsharded run.

import { NumericsError } from "../numerics_error.ts";
import { lossOf } from "../plan/loss.ts";
import type { Plan } from "../plan/plan.ts";
import type { ContentSource } from "../program/content_source.ts";
import type { Program } from "../program/program.ts";
import { referenceGradients } from "../reference/gradients.ts";
import { globalNorm } from "../reference/optimizers.ts";
import type { CheckedTraining } from "../result/check_outcome.ts";
import type { ObservedBuffer } from "../runtime/observation.ts";
import { assembleRoutes } from "./assemble.ts";
import {
  assembleGradients,
  compareGradients,
  type Gradients,
  notShown,
  shownLoss,
  shownUpdate,
} from "./gradients.ts";

/** Gradients are rounded on their way back as results are on their way there. */
const wayThereAndBack = 3;

/**
 * @param tolerance of the result of the forward pass
 * @throws NumericsError where a gradient, the loss or the norm is wrong
 */
export async function verifyTraining(
  plan: Plan,
  program: Program,
  observed: readonly ObservedBuffer[],
  tolerance: number,
  source: ContentSource,
  pause: () => Promise<void>,
): Promise<CheckedTraining> {
  const { loss, gradients } = await referenceGradients(plan, {
    routesOf: (microBatch) => assembleRoutes(program, observed, microBatch),
    source,
    pause,
  });
  return compareTraining(plan, program, observed, tolerance, { loss, gradients });
}

/** @param whole what the unsharded run showed */
export function compareWithWhole(
  plan: Plan,
  program: Program,
  observed: readonly ObservedBuffer[],
  tolerance: number,
  whole: readonly ObservedBuffer[],
): CheckedTraining {
  const { lossScale = 1 } = plan.workload.optimizer ?? {};
  const scaled = assembleGradients(whole);
  const gradients: Gradients = new Map(
    [...scaled].map(([name, { shape, data }]) => [
      name,
      { shape, data: data.map((value) => value / lossScale) },
    ]),
  );
  const loss = lossShown(plan, program, whole);
  return compareTraining(plan, program, observed, tolerance, { loss, gradients });
}

/** The batch's mean loss, of what a step showed. */
export function lossShown(
  plan: Plan,
  program: Program,
  observed: readonly ObservedBuffer[],
): number {
  const { rows, columns } = program.output;
  const isMeanOfColumns = lossOf(plan).kind === "squared-error";
  return shownLoss(observed, rows * program.microBatches, isMeanOfColumns ? columns : 1);
}

function compareTraining(
  plan: Plan,
  program: Program,
  observed: readonly ObservedBuffer[],
  resultTolerance: number,
  expected: { readonly loss: number; readonly gradients: Gradients },
): CheckedTraining {
  const tolerance = wayThereAndBack * resultTolerance;
  const { lossScale = 1 } = plan.workload.optimizer ?? {};
  const { error, weight, values } = compareGradients(observed, expected.gradients, lossScale);
  const missing = notShown(observed, expected.gradients);
  if (missing !== undefined) {
    throw new NumericsError(`not all of the gradient of ${missing} was shown`, Infinity, 0);
  }
  if (!(error <= tolerance)) {
    throw new NumericsError(
      `the gradient of ${weight}: largest relative error ${error.toExponential(1)}, accepted are ${tolerance.toExponential(1)}`,
      error,
      tolerance,
    );
  }
  const loss = lossShown(plan, program, observed);
  const lossError = near("the loss", loss, expected.loss, tolerance);
  const { gradientNorm = Number.NaN } = shownUpdate(observed) ?? {};
  const norm = globalNorm([...expected.gradients.values()].map(({ data }) => data));
  near("the norm of all gradients", gradientNorm, norm, tolerance);
  return { loss, lossError, gradientNorm, error, tolerance, weight, values };
}

/** The relative error. */
function near(what: string, actual: number, expected: number, tolerance: number): number {
  if (actual === expected) return 0;
  const error = Math.abs(actual - expected) / Math.abs(expected);
  if (error <= tolerance) return error;
  throw new NumericsError(`${what} is ${actual}, expected ${expected}`, error, tolerance);
}
