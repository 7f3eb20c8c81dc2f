// A projected step: the figure with its interval, what dominates, and what it says of the claims.

import type { Verdict } from "../claims/verdict.ts";
import { formatFigure, formatInterval, formatNumber, formatPercent } from "../measure/format.ts";
import type { Plan } from "../plan/plan.ts";
import type { PlanFile } from "../plan/schema.ts";
import type { ProjectedFigure, ProjectedStep } from "../search/projected_step.ts";
import { fields, note, type Report } from "./section.ts";
import { splitOf } from "./search_report.ts";
import { planLine } from "./sections/plan_line.ts";
import { verdictsSection } from "./sections/verdicts.ts";

export interface ShownProjection {
  readonly plan: Plan;
  /** As it was projected: on other GPUs it may have other degrees than its file. */
  readonly written: PlanFile;
  readonly projected: ProjectedStep;
  readonly verdicts: readonly Verdict[];
  readonly peaksFrom: string;
}

export function projectReport({
  plan,
  written,
  projected,
  verdicts,
  peaksFrom,
}: ShownProjection): Report {
  const { stepMs, samplesPerSecond, tokensPerSecond } = projected;
  const isServing = plan.workload.mode === "serving";
  const row = (label: string, { range, ...figure }: ProjectedFigure) =>
    [
      label,
      `${formatFigure(figure)}, within ${formatInterval({ ...figure, interval: range })}`,
    ] as const;
  return {
    title: [planLine(plan)],
    sections: [
      {
        title: "Projection",
        blocks: [
          fields(
            [
              ["split", splitOf(written)],
              row("step", stepMs),
              ...(isServing ? [] : [row("samples", samplesPerSecond)]),
              ...(plan.workload.sequence === 1 ? [] : [row("tokens", tokensPerSecond)]),
              ["dominates", dominating(projected)],
            ],
            10,
          ),
          note(`projected from ${peaksFrom}; ${stepMs.conditions.join("; ")}`),
          ...(isServing
            ? [note("the step decodes: prompts are not in it, nor judged claims")]
            : []),
          note("whether its GPUs hold it, `shardbench check` says"),
        ],
      },
      ...(verdicts.length === 0 ? [] : [verdictsSection(verdicts)]),
    ],
  };
}

const modeled = {
  roofline: "at the roofline, with launches and latency",
  "timed instructions": "before it is calibrated",
} as const;

/** Of the step as it is modeled, on the GPU that works longest. */
function dominating({ parts: all, from }: Pick<ProjectedStep, "parts" | "from">): string {
  const { stepMs, kernelMs, wireMs } = all;
  const waitingMs = Math.max(0, stepMs - kernelMs - wireMs);
  const parts = [
    { name: "kernels", ms: kernelMs },
    { name: "transfers that nothing hides", ms: wireMs },
    { name: "waiting, the pipeline's fill among it", ms: waitingMs },
  ];
  return (
    parts
      .toSorted((a, b) => b.ms - a.ms)
      .filter(({ ms }) => ms > 0)
      .map(({ name, ms }) => `${name} ${formatPercent(ms / stepMs)}`)
      .join(", ") + ` of ${formatNumber(stepMs)} ms ${modeled[from]}`
  );
}
