// What a projection is calibrated with: results of other plans on the same hardware.

import { EnvironmentError } from "../environment_error.ts";
import { leastRatios } from "../measure/prediction_interval.ts";
import { gpuNamed } from "../plan/gpu_names.ts";
import type { Plan } from "../plan/plan.ts";
import { lower, stepOf } from "../program/lower.ts";
import { timedStep } from "../search/timed/timed_cost.ts";
import type { MeasuredPlan } from "../search/step_calibration.ts";
import { workHash } from "../result/plan_hash.ts";
import { readResultAndPlan } from "./earlier_result.ts";

/**
 * The runs of results, with what their instructions took alone where the file has it.
 *
 * @param plan that is to be projected
 * @throws EnvironmentError where a file is no result of a timed run, and where they are of other hardware
 */
export async function runsOfResults(files: readonly string[], plan: Plan): Promise<MeasuredPlan[]> {
  if (files.length < leastRatios) {
    throw refused(
      `${files.length} results give no interval`,
      `name ${leastRatios} or more results of other plans`,
    );
  }
  const names = new Set<string>();
  const byWork = new Map([[workHash(plan), "the projection"]]);
  const runs: MeasuredPlan[] = [];
  for (const file of files) {
    const { plan: ran, result } = await readResultAndPlan(file);
    const { stepMs } = result.metrics;
    if (stepMs === undefined || result.written === undefined) {
      throw refused(`${file} has no timed step`, "make it again with `shardbench run`");
    }
    const { workHash: work } = result.plan;
    const same = byWork.get(work);
    if (same !== undefined) {
      throw refused(`${file} is of the same plan as ${same}`, "name one result of each other plan");
    }
    byWork.set(work, file);
    for (const { name } of result.adapters) {
      const named = gpuNamed(name);
      names.add("gpu" in named ? named.gpu.name : name);
    }
    runs.push({
      file: result.written,
      plan: ran,
      stepMs: stepMs.value,
      ...(result.projection === undefined
        ? {}
        : { timed: timedStep(stepOf(lower(ran)), result.projection.from) }),
    });
  }
  const { gpu } = plan.hardware;
  if (names.size > 1 || (gpu !== undefined && !names.has(gpu))) {
    throw refused(
      `the results are of ${[...names].join(" and ")}, the projection is of ${gpu ?? "one kind of adapter"}`,
      "name results that ran on the same hardware",
    );
  }
  return runs;
}

function refused(reason: string, hint: string): EnvironmentError {
  return new EnvironmentError("result-refused", `cannot calibrate the projection: ${reason}`, hint);
}
