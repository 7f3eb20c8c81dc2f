// The step that a plan would take if every rank had its adapter to itself: exclusive timing of its ranks,
// played against each other. Projected, and kept apart from what was measured.

import { computeMetrics, summariseStep } from "../measure/compute_metrics.ts";
import type { Estimate } from "../program/estimate.ts";
import type { Program } from "../program/program.ts";
import { linked } from "../program/simulate/link_cost.ts";
import { simulateRepeats, type Measured } from "../program/simulate/simulate.ts";
import { formatNumber, formatValue } from "../report/format.ts";
import type { MeasuredLink } from "../report/link_file.ts";
import type { Projection } from "../report/result.ts";

export const projectionOf = (
  program: Program,
  estimate: Estimate,
  measured: Measured,
  link?: MeasuredLink,
): Projection => {
  const from = link === undefined ? measured : linked(program, measured, link);
  // Kernels take what they were measured to: there is nothing to hold against a roofline again.
  const kernels = { groups: [], groupOf: [] };
  const traces = simulateRepeats(program, from);
  const { stepMs, samplesPerSecond, tokensPerSecond, ranks, busy, bubble } = computeMetrics({
    program,
    estimate,
    samples: traces.map((trace) => summariseStep(program, trace, kernels)),
    peaks: [],
    kernels: kernels.groups,
    formOf: () => undefined,
    conditions: [
      `simulated from what instructions took on each rank alone, in ${measured.repeats.length} steps`,
      ...(link === undefined ? [] : [linkPhrase(link)]),
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
};

const linkPhrase = ({ latencyMs, bandwidth, source }: MeasuredLink): string =>
  `transfers by a link of ${formatNumber(1000 * latencyMs)} µs` +
  `${bandwidth === undefined ? "" : ` and ${formatValue(bandwidth, "B/s")}`}, fitted to ${source}`;
