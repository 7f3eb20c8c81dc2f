// What the check found.

import { loadOfGpus } from "../check/rules/splits/load_per_gpu.ts";
import { canRun } from "../check/check_plan.ts";
import type { Diagnostic, Severity } from "../plan/diagnostic.ts";
import type { Plan } from "../plan/plan.ts";
import type { PlanEstimate } from "../program/estimate.ts";
import { type GpuLoad, loadPerGpu, loadRule } from "../program/load_per_gpu.ts";
import { countOf, formatPercent } from "../measure/format.ts";
import { rangeOf, runsOfRanks } from "../program/runs_of_ranks.ts";
import { left, line, note, right, table, type Line, type Report, type Section } from "./section.ts";
import { findingSections, type FindingGroup } from "./sections/findings.ts";

const groups: readonly FindingGroup[] = [
  { severity: "error", title: "Errors", tone: "bad" },
  { severity: "warning", title: "Warnings", tone: "doubtful" },
  { severity: "info", title: "Holds", tone: "good" },
];

interface Checked {
  readonly plan?: Plan;
  readonly diagnostics: readonly Diagnostic[];
  readonly estimate?: PlanEstimate;
}

/** Diagnostics by severity, then the load of every GPU where the plan has a program. */
export function checkReport({ plan, diagnostics, estimate }: Checked): Report {
  const load =
    plan === undefined || estimate === undefined ? undefined : loadPerGpu(plan, estimate);
  const told =
    load === undefined
      ? diagnostics
      : // The table below says it with more room.
        diagnostics.filter(({ code }) => code !== loadOfGpus.code);
  return {
    sections: [
      ...findingSections(told, groups),
      ...(load === undefined ? [] : [loadSection(load)]),
      { blocks: [summary(diagnostics)] },
    ],
  };
}

function loadSection(load: readonly GpuLoad[]): Section {
  const runs = runsOfRanks(
    load.map((each) => ({ ...each, rank: each.gpu })),
    ({ label, flopsShare, layers }) => `${label} ${formatPercent(flopsShare)} ${layersOf(layers)}`,
  );
  return {
    title: "Load per GPU",
    blocks: [
      table(
        [...right("GPU", "FLOPs"), ...left("load", "layers")],
        runs.map((run) => {
          const { label, flopsShare, layers } = run.item;
          return { cells: [rangeOf(run), formatPercent(flopsShare), label, layersOf(layers)] };
        }),
      ),
      note(loadRule),
    ],
  };
}

function layersOf(layers: readonly string[]): string {
  return layers.length <= 3 ? layers.join(", ") : countOf(layers.length, "layer");
}

function summary(diagnostics: readonly Diagnostic[]): Line {
  const count = (severity: Severity) =>
    diagnostics.filter((each) => each.severity === severity).length;
  const errors = count("error");
  const warnings = countOf(count("warning"), "warning");
  const notRun = canRun(diagnostics) ? "" : " Not all of it runs here.";
  return errors === 0
    ? line([{ text: "The plan is sound", tone: "good" }, `: no errors, ${warnings}.${notRun}`])
    : line([
        { text: "The plan is refused", tone: "bad" },
        `: ${countOf(errors, "error")}, ${warnings}.`,
      ]);
}
