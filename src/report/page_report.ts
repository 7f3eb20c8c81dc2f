// A whole run with its pictures, verdicts first, for a format that draws.

import type { Diagnostic } from "../plan/diagnostic.ts";
import type { Plan } from "../plan/plan.ts";
import type { Described } from "../program/describe_plan.ts";
import type { Ablation } from "../result/ablation.ts";
import type { RunResult } from "../result/result.ts";
import type { Scaling } from "../result/scaling.ts";
import { ablationSection } from "./ablate_report.ts";
import { scalingSection } from "./scaling_report.ts";
import type { Report, Section } from "./section.ts";
import { adaptersSection } from "./sections/adapters.ts";
import { bubbleSection } from "./sections/bubble.ts";
import {
  expertsCharts,
  memoryChart,
  rankTimeChart,
  rooflineChart,
  samplesChart,
  utilizationChart,
} from "./sections/charts.ts";
import { checkSection } from "./sections/check.ts";
import { communicationSection } from "./sections/communication.ts";
import { decodeCurveSection } from "./sections/decode_curve.ts";
import { expertsSection } from "./sections/experts.ts";
import { findingSections } from "./sections/findings.ts";
import { flowSection } from "./sections/flow.ts";
import { hostOverheadSection } from "./sections/host_overhead.ts";
import { kernelChoices } from "./sections/kernel_choices.ts";
import { layerLatencySection } from "./sections/layer_latency.ts";
import { memoryOverTime } from "./sections/memory_time.ts";
import { runOutcomeSection } from "./sections/outcome.ts";
import { phasesSection } from "./sections/phases.ts";
import { planLine } from "./sections/plan_line.ts";
import { projectionSection } from "./sections/projection.ts";
import { rankMemorySection } from "./sections/rank_memory.ts";
import { rankTimeSection } from "./sections/rank_time.ts";
import { reductionsSection } from "./sections/reductions.ts";
import { repeatSection } from "./sections/repeat_command.ts";
import { rooflineSection } from "./sections/roofline.ts";
import { servingSection } from "./sections/serving.ts";
import { speedSection } from "./sections/speed.ts";
import { limitsSection, summarySection } from "./sections/summary.ts";
import { timelineSection } from "./sections/timeline.ts";
import { verdictsSection } from "./sections/verdicts.ts";
import { whoDoesWhatSection } from "./sections/who_does_what.ts";
import { wholeSection } from "./sections/whole.ts";

export interface PageContent {
  readonly plan: Plan;
  readonly result: RunResult;
  readonly described: Described;
  /** What the rules say of the plan. */
  readonly diagnostics: readonly Diagnostic[];
  /** Of the same plan, where they were measured. */
  readonly ablation?: Ablation;
  readonly scaling?: Scaling;
}

export function pageReport(content: PageContent): Report {
  const { plan, result, described, diagnostics, ablation, scaling } = content;
  const { metrics, projection, scaled } = result;
  return {
    title: [planLine(plan)],
    sections: [
      together("Outcome", [
        runOutcomeSection(result),
        summarySection(result),
        limitsSection(result),
      ]),
      verdictsSection(result.verdicts),
      ...(scaled === undefined ? [] : [reductionsSection(scaled)]),
      wholeSection(result),
      whoDoesWhatSection(described),
      timelineSection(plan, result),
      servingSection(result),
      decodeCurveSection(result),
      withBlocks("Utilization", utilizationChart(result), [
        speedSection(result),
        hostOverheadSection(result),
      ]),
      withBlocks("Time per rank", rankTimeChart(result), [
        rankTimeSection(metrics.ranks, "a step's wall (mean over steps)"),
        bubbleSection(plan, [metrics.bubble, projection?.bubble]),
        projectionSection(projection, result),
        layerLatencySection(result),
      ]),
      withBlocks("Roofline", rooflineChart(result), [
        rooflineSection(result, "all"),
        kernelChoices(result),
      ]),
      together("Collectives", [
        communicationSection(result),
        flowSection(described.estimate.collectives),
      ]),
      withBlocks(
        "Memory",
        [...memoryChart(plan, result), ...memoryOverTime(plan, result)],
        [rankMemorySection(result)],
      ),
      withBlocks("Tokens per expert", expertsCharts(result), [expertsSection(result)]),
      ...(ablation === undefined ? [] : [ablationSection(ablation)]),
      ...(scaling === undefined ? [] : [scalingSection(scaling)]),
      withBlocks("Samples and runs", samplesChart(result), []),
      checkSection(result),
      {
        title: "Diagnostics",
        blocks: [],
        parts: findingSections(diagnostics, [
          { severity: "error", title: "Errors", tone: "bad" },
          { severity: "warning", title: "Warnings", tone: "doubtful" },
          { severity: "info", title: "Holds", tone: "good" },
        ]),
      },
      together("Conditions", [adaptersSection(plan, result), phasesSection(result)]),
      repeatSection(result),
    ],
  };
}

function together(title: string, parts: readonly Section[]): Section {
  return { title, blocks: [], parts };
}

function withBlocks(title: string, blocks: Section["blocks"], parts: readonly Section[]): Section {
  return { title, blocks, parts };
}
