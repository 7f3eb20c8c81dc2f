// A plan that serves, run by the interpreter to its last token.

import {
  assembleServed,
  placesShown,
  type ServedResults,
  wholeRoutes,
} from "../../src/harness/serving/assemble_served.ts";
import { relativeError } from "../../src/harness/relative_error.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { hashSource } from "../../src/program/hash_source.ts";
import { lower } from "../../src/program/lower.ts";
import type { Program } from "../../src/program/program.ts";
import { createScheduler } from "../../src/program/serving/scheduler.ts";
import { schedulerOptionsOf } from "../../src/program/serving/scheduler_options.ts";
import { sequencePlan } from "../../src/program/serving/phase_plan.ts";
import { sampledSource } from "../../src/program/serving/sampled_source.ts";
import {
  createSampledTokens,
  type SampledTokens,
} from "../../src/program/serving/sampled_tokens.ts";
import type { ServedStep } from "../../src/program/serving/served.ts";
import { forward } from "../../src/reference/forward.ts";
import { matrix, type Matrix, rowOf } from "../../src/reference/tensor.ts";
import { interpretSteps, type Observed } from "./interpret.ts";
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
  return (await serveAll(plan)).worst;
}

export interface ServedAll {
  readonly worst: number;
  /** Of whole sequences in f64, a row for each token. */
  readonly output: Matrix;
  /** Of a plan that samples. */
  readonly tokens: SampledTokens | undefined;
}

/** Serves all requests, and computes their whole sequences in f64. */
export async function serveAll(plan: Plan): Promise<ServedAll> {
  const program = lower(plan);
  const tokens = createSampledTokens(plan, program);
  const steps: ServedStep[] = [];
  const given = function* (): Generator<ServedStep> {
    for (const scheduled of stepsOf(plan)) {
      const step = tokens?.given(scheduled) ?? scheduled;
      steps.push(step);
      yield step;
    }
  };
  const onShown = (observed: readonly Observed[]): void =>
    tokens?.take(steps.at(-1)!, shownBuffers(observed));
  const shown = interpretSteps(program, given(), undefined, onShown).map((observed, i) => ({
    step: steps[i]!,
    observed: shownBuffers(observed),
  }));
  const { requests } = plan.workload.serving!;
  const { sequence } = plan.workload;
  const results = assembleServed(program, sequence, shown);
  const whole = sequencePlan(plan, requests);
  const hashed = hashSource(program.seed);
  const source = tokens === undefined ? hashed : sampledSource(hashed, tokens, sequence);
  const routes = wholeRoutes(results, requests * sequence);
  const { output } = await forward(whole, 0, routes, source);
  return { worst: worstOf(program, sequence, steps, results, output), output, tokens };
}

function worstOf(
  program: Program,
  sequence: number,
  steps: readonly ServedStep[],
  results: ServedResults,
  output: Matrix,
): number {
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
