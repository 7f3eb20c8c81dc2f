// Measured steps, kept until there is time to look at them: what the coordinator does between two steps of a few ms
// takes the caches from the ranks on its cores, and the next step's time with them.

import { atOnce, type InSlices } from "../in_slices.ts";
import type { KernelGroups } from "../measure/kernel_groups.ts";
import { summariseStep } from "../measure/compute_metrics.ts";
import type { StepSample } from "../measure/sample.ts";
import { median } from "../measure/statistics.ts";
import type { Program } from "../program/program.ts";
import type { StepTrace } from "../program/trace.ts";
import type { KeptTrace } from "../result/result.ts";

export interface StepSamples {
  keep(trace: StepTrace): void;
  /** How many were kept. */
  readonly count: number;
  /** All that were kept. */
  taken(): InSlices<readonly StepSample[]>;
  /** Once all were taken: of the steps that were kept last, the one whose time is nearest the median of all. */
  typical(): KeptTrace | undefined;
}

/** About 50 MB. */
const mostSpans = 300_000;
/** More than a result file should hold, some MB. */
const mostSpansOfFile = 20_000;
/** Of one slice: some ms. */
const spansAtOnce = 3000;

/** @param run in which the steps are taken */
export function createStepSamples(program: Program, groups: KernelGroups, run = 0): StepSamples {
  const samples: StepSample[] = [];
  let waiting: StepTrace[] = [];
  let nearest: StepTrace | undefined;
  let spans = 0;
  function* summarise(): InSlices<readonly StepSample[]> {
    let inSlice = 0;
    for (const trace of waiting) {
      samples.push(summariseStep(program, trace, groups, run));
      inSlice += spansOf(trace);
      if (inSlice < spansAtOnce) continue;
      inSlice = 0;
      yield;
    }
    if (waiting.length > 0) nearest = nearestTo(medianWall(samples), waiting);
    waiting = [];
    spans = 0;
    return samples;
  }
  return {
    get count() {
      return samples.length + waiting.length;
    },
    keep(trace) {
      waiting.push(trace);
      spans += spansOf(trace);
      if (spans > mostSpans) atOnce(summarise());
    },
    taken: summarise,
    typical: () =>
      nearest === undefined || spansOf(nearest) > mostSpansOfFile ? undefined : { ...nearest, run },
  };
}

/** Of all runs the step whose time is nearest the median of all samples. */
export function typicalTrace(
  runs: readonly Pick<StepSamples, "typical">[],
  samples: readonly StepSample[],
): { readonly trace?: KeptTrace } {
  const traces = runs.flatMap((each) => each.typical() ?? []);
  const trace = samples.length === 0 ? undefined : nearestTo(medianWall(samples), traces);
  return trace === undefined ? {} : { trace };
}

/** The trace whose wall is nearest; undefined of none. */
function nearestTo<Trace extends Pick<StepTrace, "wallMs">>(
  wallMs: number,
  traces: readonly Trace[],
): Trace | undefined {
  return traces.toSorted((a, b) => Math.abs(a.wallMs - wallMs) - Math.abs(b.wallMs - wallMs))[0];
}

/** Of at least one sample. */
function medianWall(samples: readonly StepSample[]): number {
  return median(samples.map(({ wallMs }) => wallMs));
}

function spansOf({ ranks }: StepTrace): number {
  return ranks.reduce((sum, rank) => sum + rank.spans.length, 0);
}
