// The step that a plan would take if every rank had its adapter to itself: exclusive timing of its ranks,
// played against each other. Projected, and kept apart from what was measured.

import { computeMetrics, summariseStep } from "../measure/compute_metrics.ts";
import type { Estimate } from "../program/estimate.ts";
import { stepOf } from "../program/lower.ts";
import type { Program } from "../program/program.ts";
import { linked, type SimulatedLink } from "../program/simulate/link_cost.ts";
import { simulateRepeats, type Measured } from "../program/simulate/simulate.ts";
import type { Projection } from "../result/result.ts";

/** A link that transfers are projected over. */
export interface ProjectedLink {
  readonly model: SimulatedLink;
  /** The condition of every figure that rests on it, in a phrase. */
  readonly condition: string;
}

/** @param whole of serving, of which a decode step is projected */
export function projectionOf(
  whole: Program,
  estimate: Estimate,
  measured: Measured,
  link?: ProjectedLink,
): Projection {
  const program = stepOf(whole);
  const from = link === undefined ? measured : linked(program, measured, link.model);
  // Kernels take what they were measured to: there is nothing to hold against a roofline again.
  const kernels = { groups: [], groupOf: [] };
  const traces = simulateRepeats(program, from);
  const { stepMs, samplesPerSecond, tokensPerSecond, ranks, busy, bubble } = computeMetrics({
    program,
    estimate,
    samples: traces.map((trace) => summariseStep(program, trace, kernels)),
    peaks: [],
    kernels: kernels.groups,
    variantOf: () => undefined,
    conditions: [
      `simulated from what instructions took on each rank alone, in ${measured.repeats.length} steps`,
      ...(link === undefined ? [] : [link.condition]),
    ],
  });
  return {
    ...(stepMs === undefined ? {} : { stepMs }),
    ...(samplesPerSecond === undefined ? {} : { samplesPerSecond }),
    ...(tokensPerSecond === undefined ? {} : { tokensPerSecond }),
    ...(busy === undefined ? {} : { busy }),
    ranks,
    ...(bubble === undefined ? {} : { bubble }),
    from,
  };
}
