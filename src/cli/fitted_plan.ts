// A plan file as large as this machine can run it, for commands that scale plans.

import { EnvironmentError } from "../environment_error.ts";
import type { Fit } from "../harness/fit/fit_plan.ts";
import type { Machine } from "../harness/fit/machine.ts";
import type { Diagnostic } from "../plan/diagnostic.ts";
import type { PlanFile } from "../plan/schema.ts";
import { BadPlan } from "./bad_plan.ts";
import { countedPlan } from "./counted_plan.ts";

export interface FitFlags {
  readonly adapter?: string;
  readonly placement?: string;
  /** Bytes. */
  readonly memory?: number;
  /** ms of the whole run. */
  readonly fitTime?: number;
  /** ms of timed steps. */
  readonly time?: number;
  readonly seed?: number;
}

export interface FittedPlan {
  readonly full: PlanFile;
  readonly fit: Fit;
  readonly machine: Machine;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * @param toRun whether layers that none here runs are errors
 * @throws BadPlan where the full plan has errors, but for what its own GPUs cannot hold
 * @throws EnvironmentError "does-not-fit" where even the least plan is too large
 */
export async function fittedPlan(
  file: string,
  flags: FitFlags,
  toRun: boolean,
): Promise<FittedPlan> {
  const counted = await countedPlan(file);
  const [{ isAboutRunning }, { thisMachine }, { fitPlan }] = await Promise.all([
    import("../check/rules/sizes/layer_not_runnable.ts"),
    import("../harness/fit/machine.ts"),
    import("../harness/fit/fit_plan.ts"),
  ]);
  const { document, diagnostics } = counted;
  const { written } = document;
  if (written === undefined) throw new BadPlan(counted);
  if (toRun && diagnostics.some(isAboutRunning)) {
    const asErrors = diagnostics.map((each): Diagnostic =>
      isAboutRunning(each) ? { ...each, severity: "error" } : each,
    );
    throw new BadPlan({ ...counted, diagnostics: asErrors });
  }
  const { seed, memory, adapter, placement, fitTime, time } = flags;
  const full =
    seed === undefined ? written : { ...written, workload: { ...written.workload, seed } };
  const machine = await thisMachine({
    ...(adapter === undefined ? {} : { adapter }),
    ...(placement === undefined ? {} : { placement }),
    ...(memory === undefined ? {} : { memory }),
  });
  const fit = fitPlan(full, machine, {
    ...(fitTime === undefined ? {} : { timeMs: fitTime }),
    ...(time === undefined ? {} : { samplingMs: time }),
  });
  if (fit.exceeded.length > 0) throw await tooLarge(full.name, fit);
  return { full, fit, machine, diagnostics };
}

async function tooLarge(name: string, { exceeded }: Fit): Promise<EnvironmentError> {
  const { exceededText } = await import("../report/sections/reductions.ts");
  return new EnvironmentError(
    "does-not-fit",
    `${name} is too large for this machine, however small: it exceeds ${exceeded.map(exceededText).join(" and ")}`,
    "give it more time or memory, or another adapter; `shardbench estimate` counts it without running",
  );
}
