// Measured steps, kept until there is time to look at them: what the coordinator does between two steps of a few ms
// takes the caches from the ranks on its cores, and the next step's time with them.

import type { KernelGroups } from "../measure/kernel_groups.ts";
import { summariseStep } from "../measure/compute_metrics.ts";
import type { StepSample } from "../measure/sample.ts";
import type { Program } from "../program/program.ts";
import type { StepTrace } from "../program/trace.ts";

export interface StepSamples {
  keep(trace: StepTrace): void;
  /** All that were kept. */
  taken(): readonly StepSample[];
}

/** About 50 MB. */
const mostSpans = 300_000;

/** @param run in which the steps are taken */
export function createStepSamples(program: Program, groups: KernelGroups, run = 0): StepSamples {
  const samples: StepSample[] = [];
  let waiting: StepTrace[] = [];
  let spans = 0;
  const summarise = (): void => {
    samples.push(...waiting.map((trace) => summariseStep(program, trace, groups, run)));
    waiting = [];
    spans = 0;
  };
  return {
    keep(trace) {
      waiting.push(trace);
      spans += trace.ranks.reduce((sum, rank) => sum + rank.spans.length, 0);
      if (spans > mostSpans) summarise();
    },
    taken() {
      summarise();
      return samples;
    },
  };
}
