// A plan that serves, run by the interpreter to its last token.

import {
  assembleServed,
  placesShown,
  wholeRoutes,
} from "../../src/harness/serving/assemble_served.ts";
import { relativeError } from "../../src/harness/relative_error.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { lower } from "../../src/program/lower.ts";
import { createScheduler } from "../../src/program/serving/scheduler.ts";
import { schedulerOptionsOf } from "../../src/program/serving/scheduler_options.ts";
import { sequencePlan } from "../../src/program/serving/phase_plan.ts";
import type { ServedStep } from "../../src/program/serving/served.ts";
import { forward } from "../../src/reference/forward.ts";
import { matrix, rowOf } from "../../src/reference/tensor.ts";
import { interpretSteps } from "./interpret.ts";
import { shownBuffers } from "./shown_buffers.ts";

/** All steps, as if each took a millisecond. */
export function stepsOf(plan: Plan): ServedStep[] {
  const scheduler = createScheduler(schedulerOptionsOf(plan));
  const steps: ServedStep[] = [];
  for (let now = 0; ;) {
    const next = scheduler.next(now);
    if (next === undefined) return steps;
    if ("step" in next) {
      steps.push(next.step);
      now += 1;
    } else now = next.idleUntilMs;
  }
}

/** How far all rows of all requests are from those of whole sequences in f64, relative to the largest value. */
export async function worstServedError(plan: Plan): Promise<number> {
  const program = lower(plan);
  const steps = stepsOf(plan);
  const shown = interpretSteps(program, steps).map((observed, i) => ({
    step: steps[i]!,
    observed: shownBuffers(observed),
  }));
  const { requests } = plan.workload.serving!;
  const { sequence } = plan.workload;
  const results = assembleServed(program, sequence, shown);
  const whole = sequencePlan(plan, requests);
  const { output } = await forward(whole, 0, wholeRoutes(results, requests * sequence));
  if (results.outputs.length === 0) return Number.NaN;
  return Math.max(
    ...results.outputs.map((rows) => {
      const places = placesShown(program, sequence, steps);
      if (rows.size !== places.length) return Number.NaN;
      const [actual, expected] = [rows.size, rows.size].map((size) => matrix(size, output.columns));
      for (const [i, place] of places.entries()) {
        rowOf(actual!, i).set(rows.get(place) ?? [Number.NaN]);
        rowOf(expected!, i).set(rowOf(output, place));
      }
      return relativeError(actual!.data, expected!.data);
    }),
  );
}
