// What the check found, on a terminal.

import type { Diagnostic, Severity } from "../plan/diagnostic.ts";
import { loadPerGpu, loadRule } from "../plan/load_per_gpu.ts";
import type { Plan } from "../plan/plan.ts";
import type { Colours } from "./colour.ts";
import { countOf, formatPercent } from "./format.ts";
import { LINE_WIDTH, table } from "./table.ts";
import { wrap, wrapIndented } from "./text_width.ts";

const groups: readonly (readonly [Severity, title: string])[] = [
  ["error", "Errors"],
  ["warning", "Warnings"],
  ["info", "Holds"],
];

/** Diagnostics by severity, then the load of every GPU where there is a plan. */
export const checkReport = (
  diagnostics: readonly Diagnostic[],
  plan: Plan | undefined,
  colours: Colours,
): string[] => {
  const sections = groups.flatMap(([severity, title]) => {
    const own = diagnostics.filter(
      // The table below says it with more room.
      (each) => each.severity === severity && (plan === undefined || each.code !== "load-per-gpu"),
    );
    return own.length === 0 ? [] : [colours.strong(title), ownLines(own, colours), ""].flat();
  });
  return [
    ...sections,
    ...(plan === undefined ? [] : [...loadLines(plan, colours), ""]),
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

const loadLines = (plan: Plan, colours: Colours): string[] => [
  colours.strong("Load per GPU"),
  ...table(
    [
      { title: "GPU" },
      { title: "FLOPs" },
      { title: "load", align: "left" },
      { title: "layers", align: "left" },
    ],
    loadPerGpu(plan).map(({ gpu, flopsShare, label, layers }) => ({
      cells: [String(gpu), formatPercent(flopsShare), label, layersOf(layers)],
    })),
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
  return errors === 0
    ? `${colours.good("The plan can run")}: no errors, ${warnings}.`
    : `${colours.bad("The plan is refused")}: ${countOf(errors, "error")}, ${warnings}.`;
};

/** An error of the machine, with its way out. */
export const errorLines = (message: string, hint: string, colours: Colours): string[] => [
  ...wrap(message, LINE_WIDTH).map(colours.bad),
  ...wrapIndented(`→ ${hint}`, LINE_WIDTH, 2),
];
