// A step of training on the host, in f64, against the gradients of the reference.

import { assembleRoutes } from "../../src/harness/assemble.ts";
import { compareGradients, notShown, shownUpdate } from "../../src/harness/gradients.ts";
import { lossShown } from "../../src/harness/verify_training.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { lower } from "../../src/program/lower.ts";
import { whyNotTrained } from "../../src/program/trained.ts";
import { referenceGradients } from "../../src/reference/gradients.ts";
import { globalNorm } from "../../src/reference/optimizers.ts";
import { interpret } from "./interpret.ts";
import { shownBuffers } from "./shown_buffers.ts";

/** What is wrong with a step of it; nothing where all gradients and the loss are right. */
export async function faultsOf(plan: Plan): Promise<string[]> {
  const why = whyNotTrained(plan);
  if (why !== undefined) return [why];
  const program = lower(plan);
  const observed = shownBuffers(interpret(program));
  const { loss, gradients } = await referenceGradients(plan, {
    routesOf: (microBatch) => assembleRoutes(program, observed, microBatch),
  });
  const missing = notShown(observed, gradients);
  const { lossScale = 1 } = plan.workload.optimizer ?? {};
  const { error, weight } = compareGradients(observed, gradients, lossScale);
  const isLossRight = Math.abs(lossShown(plan, program, observed) - loss) < 1e-5 * loss;
  const norm = globalNorm([...gradients.values()].map(({ data }) => data));
  const { gradientNorm = Number.NaN } = shownUpdate(observed) ?? {};
  const isNormRight = Math.abs(gradientNorm - norm) < 1e-5 * norm;
  return [
    ...(isNormRight ? [] : ["the norm is wrong"]),
    ...(missing === undefined ? [] : [`${missing} was not shown`]),
    ...(error < 2e-6 ? [] : [`${weight} is off by ${error}`]),
    ...(isLossRight ? [] : ["the loss is wrong"]),
  ];
}
