// A plan's step from what its kernels take on one device, as a page timed them, and what its links would take.

import { EnvironmentError } from "../environment_error.ts";
import type { Plan } from "../plan/plan.ts";
import { estimate } from "../program/estimate.ts";
import { lower, stepOf } from "../program/lower.ts";
import type { Instruction } from "../program/program.ts";
import { noCost, type Cost } from "../program/simulate/cost.ts";
import type { BrowserTimes } from "../result/browser_times.ts";
import { workHash } from "../result/plan_hash.ts";
import type { Projection } from "../result/result.ts";
import { callKey } from "../tuning/keys.ts";
import { projectionOf, type ProjectedLink } from "./projection.ts";

/**
 * Copies, inputs, sums of collectives and the host's work cost nothing: a page times kernels alone.
 *
 * @throws EnvironmentError where the times are of other work, or not of every kernel
 */
export function browserProjection(
  plan: Plan,
  times: BrowserTimes,
  file: string,
  { model, condition }: ProjectedLink,
): Projection {
  if (times.plan.workHash !== workHash(plan)) {
    throw refused(file, `it is of other work than the plan asks for: "${times.plan.name}"`);
  }
  const program = lower(plan);
  const known = new Map(times.calls.map(({ call, ms }) => [call, ms]));
  const samples = Math.min(...times.calls.map(({ ms }) => ms.length));
  const costOf = (instruction: Instruction, sample: number): Cost => {
    if (instruction.op !== "kernel") return noCost;
    const { kernel, shape, dtype } = instruction;
    const call = callKey(kernel, shape, dtype);
    const compute = known.get(call)?.[sample];
    if (compute === undefined) throw refused(file, `it has no time of ${call}`);
    return { ...noCost, compute };
  };
  const repeats = Array.from({ length: samples }, (_, sample) =>
    stepOf(program).ranks.map(({ instructions }) => ({
      instructions: instructions.map((instruction) => costOf(instruction, sample)),
      rest: noCost,
    })),
  );
  return projectionOf(
    program,
    estimate(program, plan),
    { repeats, latencyMs: model.latencyMs },
    {
      model,
      condition: `kernels as a browser timed them on ${times.adapter.name}, launches and the host free; ${condition}`,
    },
  );
}

function refused(file: string, reason: string): EnvironmentError {
  return new EnvironmentError(
    "result-refused",
    `cannot project from ${file}: ${reason}`,
    "make a page of this plan with `shardbench page`, and save what it measures",
  );
}
