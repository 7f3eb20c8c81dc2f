// What the check found, on a terminal.

import { canRun } from "../check/check_plan.ts";
import type { Diagnostic, Severity } from "../plan/diagnostic.ts";
import type { Plan } from "../plan/plan.ts";
import type { PlanEstimate } from "../program/estimate.ts";
import { type GpuLoad, loadPerGpu, loadRule } from "../program/load_per_gpu.ts";
import type { Colours } from "./colour.ts";
import { countOf, formatPercent } from "../measure/format.ts";
import { rangeOf, runsOfRanks } from "../program/runs_of_ranks.ts";
import { LINE_WIDTH, table } from "./table.ts";
import { wrap, wrapIndented } from "./text_width.ts";

const groups: readonly (readonly [Severity, title: string])[] = [
  ["error", "Errors"],
  ["warning", "Warnings"],
  ["info", "Holds"],
];

interface Checked {
  readonly plan?: Plan;
  readonly diagnostics: readonly Diagnostic[];
  readonly estimate?: PlanEstimate;
}

/** Diagnostics by severity, then the load of every GPU where the plan has a program. */
export const checkReport = (
  { plan, diagnostics, estimate }: Checked,
  colours: Colours,
): string[] => {
  const load =
    plan === undefined || estimate === undefined ? undefined : loadPerGpu(plan, estimate);
  const sections = groups.flatMap(([severity, title]) => {
    const own = diagnostics.filter(
      // The table below says it with more room.
      (each) => each.severity === severity && (load === undefined || each.code !== "load-per-gpu"),
    );
    return own.length === 0 ? [] : [colours.strong(title), ownLines(own, colours), ""].flat();
  });
  return [
    ...sections,
    ...(load === undefined ? [] : [...loadLines(load, colours), ""]),
    summary(diagnostics, colours),
  ];
};

const ownLines = (diagnostics: readonly Diagnostic[], colours: Colours): string[] =>
  diagnostics.flatMap((each) => diagnosticLines(each, colours));

const diagnosticLines = (
  { code, severity, message, hint, position }: Diagnostic,
  colours: Colours,
): string[] => {
  const paint = { error: colours.bad, warning: colours.doubtful, info: colours.good }[severity];
  const at = position === undefined ? "" : `${position.file}:${position.line}:${position.column}  `;
  return [
    `  ${at}${paint(code)}`,
    ...wrapIndented(message, LINE_WIDTH, 4),
    ...(hint === undefined ? [] : wrapIndented(`→ ${hint}`, LINE_WIDTH, 4)),
  ];
};

const loadLines = (load: readonly GpuLoad[], colours: Colours): string[] => [
  colours.strong("Load per GPU"),
  ...table(
    [
      { title: "GPU" },
      { title: "FLOPs" },
      { title: "load", align: "left" },
      { title: "layers", align: "left" },
    ],
    runsOfRanks(
      load.map((each) => ({ ...each, rank: each.gpu })),
      ({ label, flopsShare, layers }) =>
        `${label} ${formatPercent(flopsShare)} ${layersOf(layers)}`,
    ).map((run) => {
      const { label, flopsShare, layers } = run.item;
      return { cells: [rangeOf(run), formatPercent(flopsShare), label, layersOf(layers)] };
    }),
    colours,
  ),
  ...wrapIndented(loadRule, LINE_WIDTH, 2).map(colours.faint),
];

const layersOf = (layers: readonly string[]): string =>
  layers.length <= 3 ? layers.join(", ") : countOf(layers.length, "layer");

const summary = (diagnostics: readonly Diagnostic[], colours: Colours): string => {
  const count = (severity: Severity) =>
    diagnostics.filter((each) => each.severity === severity).length;
  const errors = count("error");
  const warnings = countOf(count("warning"), "warning");
  const notRun = canRun(diagnostics) ? "" : " Not all of it runs here.";
  return errors === 0
    ? `${colours.good("The plan is sound")}: no errors, ${warnings}.${notRun}`
    : `${colours.bad("The plan is refused")}: ${countOf(errors, "error")}, ${warnings}.`;
};

/** An error of the machine, with its way out. */
export const errorLines = (message: string, hint: string, colours: Colours): string[] => [
  ...wrap(message, LINE_WIDTH).map(colours.bad),
  ...wrapIndented(`→ ${hint}`, LINE_WIDTH, 2),
];
