// Measured steps, kept until there is time to look at them: what the coordinator does between two steps of a few ms
// takes the caches from the ranks on its cores, and the next step's time with them.

import { atOnce, type InSlices } from "../in_slices.ts";
import type { KernelGroups } from "../measure/kernel_groups.ts";
import { summariseStep } from "../measure/compute_metrics.ts";
import type { StepSample } from "../measure/sample.ts";
import type { Program } from "../program/program.ts";
import type { StepTrace } from "../program/trace.ts";

export interface StepSamples {
  keep(trace: StepTrace): void;
  /** How many were kept. */
  readonly count: number;
  /** All that were kept. */
  taken(): InSlices<readonly StepSample[]>;
}

/** About 50 MB. */
const mostSpans = 300_000;
/** Of one slice: some ms. */
const spansAtOnce = 3000;

/** @param run in which the steps are taken */
export function createStepSamples(program: Program, groups: KernelGroups, run = 0): StepSamples {
  const samples: StepSample[] = [];
  let waiting: StepTrace[] = [];
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
  };
}

function spansOf({ ranks }: StepTrace): number {
  return ranks.reduce((sum, rank) => sum + rank.spans.length, 0);
}
