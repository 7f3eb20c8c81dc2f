// Steps of training one after the other, each from the weights that the one before left, and what becomes of the loss.

import { setImmediate } from "node:timers/promises";
import { EnvironmentError } from "../environment_error.ts";
import { discoverAdapters } from "../gpu/discover.ts";
import { namedAdapters, placeRanks } from "../gpu/placement.ts";
import { NumericsError } from "../numerics_error.ts";
import type { Plan } from "../plan/plan.ts";
import { lower } from "../program/lower.ts";
import { openRanks } from "../runtime/coordinator.ts";
import { shownUpdate } from "./gradients.ts";
import { observeOn } from "./observe.ts";
import { whereNotFinite } from "./not_finite.ts";
import type { RunOptions } from "./run_options.ts";
import { verify } from "./verify.ts";
import { lossShown } from "./verify_training.ts";

export type TrainOptions = Pick<RunOptions, "adapter" | "placement" | "onProgress" | "signal">;

export interface TrainedStep {
  readonly step: number;
  /** Mean over the batch, of the weights before the step. */
  readonly loss: number;
  /** Of all gradients together, before they are clipped. */
  readonly gradientNorm: number;
}

/**
 * Checks the first step, then takes `steps` of them. Each reads the next batch of the plan's data set;
 * without one the batch is the same in each.
 *
 * @throws EnvironmentError where the machine is in the way, or the plan names no optimizer
 * @throws NumericsError where the first step is wrong, or a later one's loss or gradients are not finite
 */
export async function train(
  plan: Plan,
  steps: number,
  options: TrainOptions = {},
): Promise<TrainedStep[]> {
  if (plan.workload.optimizer === undefined) {
    throw new EnvironmentError(
      "not-trained",
      "the plan names no optimizer, so that nothing updates its weights",
      "add workload.optimizer, such as { name: adamw }",
    );
  }
  const { signal, onProgress = () => undefined } = options;
  onProgress({ phase: "adapters" });
  const program = lower(plan);
  const { adapters, refused } = await discoverAdapters(process.env, namedAdapters(options));
  const placement = placeRanks(program.ranks.length, adapters, { ...options, refused });
  onProgress({ phase: "ranks", total: placement.length });
  const pool = await openRanks(program, placement, signal === undefined ? {} : { signal });
  try {
    onProgress({ phase: "check" });
    const observe = observeOn(pool, program, placement, options);
    await verify(plan, program, "auto", observe, noPause);
    const taken: TrainedStep[] = [];
    for (let step = 1; step <= steps; step++) {
      onProgress({ phase: "measure", done: step - 1, total: steps });
      const { observed: shown } = await observe(program, {
        only: "update",
        isContinued: step > 1,
        batch: step - 1,
      });
      const { gradientNorm = Number.NaN } = shownUpdate(shown) ?? {};
      const loss = lossShown(plan, program, shown);
      if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
        // Such gradients move no weight: the same step shows them again.
        const ranks = await pool.observe({ isContinued: step > 1, batch: step - 1 });
        const where =
          whereNotFinite(program, ranks) ?? "seen again, all losses and gradients are finite";
        throw new NumericsError(
          `step ${step}: the loss is ${loss}, the norm of all gradients ${gradientNorm}: ${where}`,
          Infinity,
          0,
        );
      }
      taken.push({ step, loss, gradientNorm });
    }
    return taken;
  } finally {
    await pool.close();
  }
}

async function noPause(): Promise<void> {
  await setImmediate();
}
