// Numerics first: a run's result is held against the f64 reference, or, where that would take too long,
// against the unsharded run and Freivalds' check of every matrix product.

import { NumericsError } from "../numerics_error.ts";
import type { Plan } from "../plan/plan.ts";
import { estimate } from "../program/estimate.ts";
import { lower } from "../program/lower.ts";
import type { Program } from "../program/program.ts";
import { unshard } from "../program/unshard.ts";
import { forward } from "../reference/forward.ts";
import type { CheckOutcome } from "../report/result.ts";
import { rowOf } from "../reference/tensor.ts";
import { assembleOutput, assembleRoutes, type ObservedBuffer } from "./assemble.ts";
import { relativeError } from "./relative_error.ts";

/** One checking step of some program on its ranks. */
export interface Observation {
  readonly observed: readonly ObservedBuffer[];
  /** Largest relative residual of the products that Freivalds' check saw. */
  readonly freivalds?: { readonly residual: number; readonly checked: number };
}

export type Observe = (program: Program, freivalds: boolean) => Promise<Observation>;

export type CheckMethod = "oracle" | "unsharded" | "auto";

/** FLOPs of one step that the reference still computes; about 10 s. */
const referenceFlops = 12e9;

/** Largest accepted error, relative to the largest value of the result. */
const tolerances = { f32: 1e-5, f16: 5e-3 } as const;

/**
 * How far a chosen expert's logit may lie below the best one that was left out. Logits are of order 1,
 * so this is the tolerance of an activation with room for the layers before it.
 */
const routingTolerances = { f32: 1e-4, f16: 5e-2 } as const;

/** Share of expert choices that rounding may decide differently in two runs. */
const acceptedReroutes = { f32: 1e-3, f16: 5e-2 } as const;

/** Compares one step and throws `NumericsError` when it is wrong. */
export const verify = async (
  plan: Plan,
  program: Program,
  method: CheckMethod,
  observe: Observe,
): Promise<CheckOutcome> => {
  const affordable = estimate(program, plan).modelFlops <= referenceFlops;
  const byReference = method === "oracle" || (method === "auto" && affordable);
  return byReference
    ? verifyByReference(plan, program, await observe(program, false))
    : verifyByUnsharded(plan, program, observe);
};

const verifyByReference = (
  plan: Plan,
  program: Program,
  { observed }: Observation,
): CheckOutcome => {
  let error = 0;
  let rerouted = 0;
  let choices = 0;
  for (let microBatch = 0; microBatch < program.microBatches; microBatch++) {
    const routes = assembleRoutes(program, observed, microBatch);
    const expected = forward(plan, microBatch, routes);
    const actual = assembleOutput(program, observed, microBatch);
    error = Math.max(error, relativeError(actual.data, expected.output.data));
    rerouted += expected.reroutedChoices;
    choices += expected.choices;
    if (expected.routingGap > routingTolerances[program.dtype]) {
      throw new NumericsError(
        `an expert was chosen whose logit is ${expected.routingGap.toExponential(1)} below one that was left out`,
        expected.routingGap,
        routingTolerances[program.dtype],
      );
    }
  }
  const outcome: CheckOutcome = {
    method: "oracle",
    error,
    tolerance: tolerances[program.dtype],
    compared: "sharded result against the f64 reference",
    values: program.output.rows * program.output.columns * program.microBatches,
    ...(choices === 0 ? {} : { routing: { agreeing: choices - rerouted, total: choices } }),
  };
  return accept(outcome);
};

const verifyByUnsharded = async (
  plan: Plan,
  program: Program,
  observe: Observe,
): Promise<CheckOutcome> => {
  const alone = lower(unshard(plan));
  const sharded = await observe(program, true);
  const whole = await observe(alone, true);
  let error = 0;
  let values = 0;
  let differing = 0;
  let choices = 0;
  for (let microBatch = 0; microBatch < program.microBatches; microBatch++) {
    const routes = assembleRoutes(program, sharded.observed, microBatch);
    const others = assembleRoutes(alone, whole.observed, microBatch);
    const nearTies = new Set<number>();
    for (const [layer, ids] of routes) {
      choices += ids.length;
      for (const [choice, id] of ids.entries()) {
        if (id === others.get(layer)?.[choice]) continue;
        differing++;
        nearTies.add(Math.floor((choice * program.output.rows) / ids.length));
      }
    }
    const actual = assembleOutput(program, sharded.observed, microBatch);
    const expected = assembleOutput(alone, whole.observed, microBatch);
    // Rounding sends a near tie to either expert: such a row is another, equally right result.
    for (const row of nearTies) {
      rowOf(actual, row).fill(0);
      rowOf(expected, row).fill(0);
    }
    values += (program.output.rows - nearTies.size) * program.output.columns;
    error = Math.max(error, relativeError(actual.data, expected.data));
  }
  if (differing > choices * acceptedReroutes[program.dtype]) {
    throw new NumericsError(
      `${differing} of ${choices} expert choices differ from the unsharded run`,
      differing / choices,
      acceptedReroutes[program.dtype],
    );
  }
  const residuals = [sharded, whole].map((run) => run.freivalds?.residual ?? 0);
  const checked = [sharded, whole].reduce((sum, run) => sum + (run.freivalds?.checked ?? 0), 0);
  const outcome: CheckOutcome = {
    method: "unsharded+freivalds",
    error: Math.max(error, ...residuals),
    tolerance: tolerances[program.dtype],
    compared: `sharded result against the unsharded run, and ${checked} matrix products by Freivalds' check`,
    values,
    ...(choices === 0 ? {} : { routing: { agreeing: choices - differing, total: choices } }),
  };
  return accept(outcome);
};

const accept = (outcome: CheckOutcome): CheckOutcome => {
  if (outcome.error <= outcome.tolerance) return outcome;
  throw new NumericsError(
    `${outcome.compared}: largest relative error ${outcome.error.toExponential(1)}, accepted are ${outcome.tolerance.toExponential(0)}`,
    outcome.error,
    outcome.tolerance,
  );
};
