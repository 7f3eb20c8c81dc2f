// Numerics first. Every instruction of every rank is held against its operands of the very run that is judged; and the
// whole result against the f64 reference of the plan or, where that would take too long, against the unsharded run:
// that the instructions, each right by itself, are what the plan means.

import { EnvironmentError } from "../environment_error.ts";
import { NumericsError } from "../numerics_error.ts";
import type { Plan } from "../plan/plan.ts";
import type { ContentSource } from "../program/content_source.ts";
import { estimate } from "../program/estimate.ts";
import { openSource } from "../data/open_source.ts";
import { lower } from "../program/lower.ts";
import type { Program } from "../program/program.ts";
import { sequencePlan } from "../program/serving/phase_plan.ts";
import { unshard } from "../program/unshard.ts";
import { forward } from "../reference/forward.ts";
import type { CheckOutcome } from "../result/check_outcome.ts";
import type { RankCheck } from "../runtime/check/rank_check.ts";
import type { ForcedRoutes, ObservedBuffer, ObserveOptions } from "../runtime/observation.ts";
import { assembleOutputs, assembleRoutes } from "./assemble.ts";
import { checkedKinds } from "./checked_kinds.ts";
import { expectedError } from "../reference/expected_error.ts";
import { relativeError } from "./relative_error.ts";
import { compareWithWhole, verifyTraining } from "./verify_training.ts";

/** One checking step of some program on its ranks. */
export interface StepObservation {
  readonly observed: readonly ObservedBuffer[];
  /** Of every rank, where that was asked for. */
  readonly checks: readonly RankCheck[];
}

export type Observe = (program: Program, options?: ObserveOptions) => Promise<StepObservation>;

export type CheckMethod = "oracle" | "unsharded" | "auto";

export interface Verification {
  readonly outcome: CheckOutcome;
  /** What was compared, for a later look at whether it still holds. */
  readonly observed: readonly ObservedBuffer[];
}

/** FLOPs of one step that the reference still computes; about 10 s on an idle core. */
export const referenceFlops = 12e9;

/** Largest accepted error of the whole result, relative to its largest value. The unsharded run rounds too. */
export function acceptedError(plan: Plan, method: CheckOutcome["method"]): number {
  const whole = plan.workload.mode === "serving" ? sequencePlan(plan, 1) : plan;
  return (method === "oracle" ? 1 : Math.SQRT2) * expectedError(whole).result;
}

/** Share of expert choices that rounding may decide differently in two runs. */
const acceptedReroutes = { f32: 1e-3, f16: 5e-2 } as const;

/**
 * Compares one step.
 *
 * @param pause awaited now and then while the reference computes; may throw to end it
 * @param given weights and inputs. Default: the program's own
 * @throws NumericsError when the result is wrong
 */
export async function verify(
  plan: Plan,
  program: Program,
  method: CheckMethod,
  observe: Observe,
  pause: () => Promise<void>,
  given?: ContentSource,
): Promise<Verification> {
  const source = given ?? (await openSource(program));
  const observeChecked = async (check: "thorough" | "brief"): Promise<Checked> => {
    const { observed, checks } = await observe(program, { check });
    if (checks.length !== program.ranks.length) {
      throw new NumericsError(
        `${checks.length} of ${program.ranks.length} ranks checked their step`,
        Infinity,
        0,
      );
    }
    return { observed, ...checkedKinds(program, checks) };
  };
  const affordable = estimate(program, plan).modelFlops <= referenceFlops;
  if (method === "oracle" || (method === "auto" && affordable)) {
    return verifyByReference(plan, program, await observeChecked("brief"), source, pause);
  }
  const checked = await observeChecked("thorough");
  try {
    return await verifyByUnsharded(plan, program, checked, observe);
  } catch (error) {
    // A plan may be sharded because one adapter cannot hold it: then only the reference is left.
    if (method === "auto" && isTooLarge(error)) {
      return verifyByReference(plan, program, checked, source, pause);
    }
    throw error;
  }
}

type Checked = Pick<StepObservation, "observed"> & Pick<CheckOutcome, "kinds" | "notChecked">;

function isTooLarge(error: unknown): boolean {
  return (
    error instanceof EnvironmentError &&
    (error.code === "buffer-over-limit" || error.code === "out-of-memory")
  );
}

async function verifyByReference(
  plan: Plan,
  program: Program,
  { observed, ...instructions }: Checked,
  source: ContentSource,
  pause: () => Promise<void>,
): Promise<Verification> {
  let error = 0;
  let rerouted = 0;
  let choices = 0;
  let values = 0;
  const accepted = expectedError(plan).routing;
  for (let microBatch = 0; microBatch < program.microBatches; microBatch++) {
    const routes = assembleRoutes(program, observed, microBatch);
    const expected = await forward(plan, microBatch, routes, source, pause);
    for (const actual of assembleOutputs(program, observed, microBatch)) {
      error = Math.max(error, relativeError(actual.data, expected.output.data));
      values += actual.data.length;
    }
    rerouted += expected.reroutedChoices;
    choices += expected.choices;
    if (expected.routingGap > accepted) {
      throw new NumericsError(
        `an expert was chosen whose logit is ${expected.routingGap.toExponential(1)} below one that was left out`,
        expected.routingGap,
        accepted,
      );
    }
  }
  const tolerance = acceptedError(plan, "oracle");
  const training =
    plan.workload.optimizer === undefined
      ? {}
      : { training: await verifyTraining(plan, program, observed, tolerance, source, pause) };
  const outcome: CheckOutcome = {
    method: "oracle",
    error,
    tolerance,
    ...training,
    compared: "sharded result against the f64 reference",
    values,
    ...(choices === 0 ? {} : { routing: { agreeing: choices - rerouted, total: choices } }),
    ...instructions,
  };
  return { outcome: accept(outcome), observed };
}

/** The second run follows the expert choices of the first, so that a near tie cannot tell them apart. */
async function verifyByUnsharded(
  plan: Plan,
  program: Program,
  { observed, ...instructions }: Checked,
  observe: Observe,
): Promise<Verification> {
  const alone = lower(unshard(plan));
  const routes = allRoutes(program, observed);
  const whole = await observe(alone, { routes });
  let error = 0;
  let values = 0;
  for (let microBatch = 0; microBatch < program.microBatches; microBatch++) {
    const [expected] = assembleOutputs(alone, whole.observed, microBatch);
    for (const actual of assembleOutputs(program, observed, microBatch)) {
      values += actual.data.length;
      error = Math.max(error, relativeError(actual.data, expected?.data ?? new Float64Array()));
    }
  }
  const routing = compareRoutes(routes, allRoutes(alone, whole.observed));
  const rerouted = routing.total - routing.agreeing;
  if (rerouted > routing.total * acceptedReroutes[program.dtype]) {
    throw new NumericsError(
      `${rerouted} of ${routing.total} expert choices differ from the unsharded run`,
      rerouted / routing.total,
      acceptedReroutes[program.dtype],
    );
  }
  const tolerance = acceptedError(plan, "unsharded+freivalds");
  const training =
    plan.workload.optimizer === undefined
      ? {}
      : { training: compareWithWhole(plan, program, observed, tolerance, whole.observed) };
  const outcome: CheckOutcome = {
    method: "unsharded+freivalds",
    error,
    tolerance,
    ...training,
    compared: "sharded result against the unsharded run",
    values,
    ...(routing.total === 0 ? {} : { routing }),
    ...instructions,
  };
  return { outcome: accept(outcome), observed };
}

function allRoutes(program: Program, observed: readonly ObservedBuffer[]): ForcedRoutes[] {
  return Array.from({ length: program.microBatches }, (_, microBatch) =>
    [...assembleRoutes(program, observed, microBatch)].map(([layer, ids]) => ({
      layer,
      microBatch,
      ids,
    })),
  ).flat();
}

function compareRoutes(
  followed: readonly ForcedRoutes[],
  own: readonly ForcedRoutes[],
): { agreeing: number; total: number } {
  let agreeing = 0;
  let total = 0;
  for (const [i, { ids }] of followed.entries()) {
    total += ids.length;
    agreeing += ids.filter((id, choice) => id === own[i]?.ids[choice]).length;
  }
  return { agreeing, total };
}

export function accept(outcome: CheckOutcome): CheckOutcome {
  if (outcome.values === 0) throw new NumericsError("no value was compared", Infinity, 0);
  if (outcome.error <= outcome.tolerance) return outcome;
  throw new NumericsError(
    `${outcome.compared}: largest relative error ${outcome.error.toExponential(1)}, accepted are ${outcome.tolerance.toExponential(1)}`,
    outcome.error,
    outcome.tolerance,
  );
}
