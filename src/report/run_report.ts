// A whole run: who ran, whether the numbers are right, how fast, and which claims hold.

import type { Plan } from "../plan/plan.ts";
import type { RunResult } from "../result/result.ts";
import type { Report } from "./section.ts";
import { adaptersSection } from "./sections/adapters.ts";
import { bubbleSection } from "./sections/bubble.ts";
import { checkSection } from "./sections/check.ts";
import { communicationSection } from "./sections/communication.ts";
import { decodeCurveSection } from "./sections/decode_curve.ts";
import { expertsSection } from "./sections/experts.ts";
import { hostOverheadSection } from "./sections/host_overhead.ts";
import { kernelChoices, kernelNotices } from "./sections/kernel_choices.ts";
import { layerLatencySection } from "./sections/layer_latency.ts";
import { runOutcomeSection } from "./sections/outcome.ts";
import { phasesSection } from "./sections/phases.ts";
import { planLine } from "./sections/plan_line.ts";
import { projectionSection } from "./sections/projection.ts";
import { rankMemorySection } from "./sections/rank_memory.ts";
import { rankTimeSection } from "./sections/rank_time.ts";
import { reductionsSection } from "./sections/reductions.ts";
import { rooflineSection } from "./sections/roofline.ts";
import { servingSection } from "./sections/serving.ts";
import { speedSection } from "./sections/speed.ts";
import { verdictsSection } from "./sections/verdicts.ts";
import { wholeSection } from "./sections/whole.ts";

export interface ReportOptions {
  /** Show the variant of every kernel, and what the others reached. */
  readonly explain?: boolean;
}

export function runReport(
  plan: Plan,
  result: RunResult,
  { explain = false }: ReportOptions = {},
): Report {
  const { metrics, projection } = result;
  return {
    title: [planLine(plan)],
    sections: [
      ...(result.scaled === undefined ? [] : [reductionsSection(result.scaled)]),
      adaptersSection(plan, result),
      kernelNotices(result),
      checkSection(result),
      servingSection(result),
      decodeCurveSection(result),
      speedSection(result),
      wholeSection(result),
      rankTimeSection(metrics.ranks, "a step's wall (mean over steps)"),
      hostOverheadSection(result),
      rooflineSection(result),
      bubbleSection(plan, [metrics.bubble, projection?.bubble]),
      projectionSection(projection, result),
      layerLatencySection(result),
      communicationSection(result),
      rankMemorySection(result),
      expertsSection(result),
      ...(explain ? [kernelChoices(result)] : []),
      verdictsSection(result.verdicts),
      phasesSection(result),
      runOutcomeSection(result),
    ],
  };
}
