// What an import has to say, as lines: one per finding, the like ones together.

import type { Diagnostic } from "../plan/diagnostic.ts";
import { whyNotStated } from "../plan/import/parameters_stated.ts";
import { countParameters } from "../plan/parameters.ts";
import type { PlanFile } from "../plan/schema.ts";
import { modelOf } from "../plan/stages_from_degrees.ts";
import type { Colours } from "../report/colour.ts";
import { countOf } from "../measure/format.ts";
import { LINE_WIDTH } from "../report/table.ts";
import { wrapIndented } from "../report/text_width.ts";

const titles: readonly (readonly [Diagnostic["severity"], string])[] = [
  ["error", "Errors"],
  ["warning", "Not in the plan, or not run"],
  ["info", "Noted"],
];

export const findingLines = (diagnostics: readonly Diagnostic[], colours: Colours): string[] =>
  titles.flatMap(([severity, title]) => {
    const own = diagnostics.filter((each) => each.severity === severity);
    return own.length === 0
      ? []
      : [colours.strong(title), ...own.flatMap((each) => lines(each, colours)), ""];
  });

const lines = (
  { code, severity, message, hint, position }: Diagnostic,
  colours: Colours,
): string[] => {
  const paint = { error: colours.bad, warning: colours.doubtful, info: colours.faint }[severity];
  const at = position === undefined ? "" : `${position.file}:${position.line}:${position.column}  `;
  return [
    `  ${at}${paint(code)}`,
    ...wrapIndented(message, LINE_WIDTH, 4),
    ...(hint === undefined ? [] : wrapIndented(`→ ${hint}`, LINE_WIDTH, 4)),
  ];
};

/** Name, GPUs and parameters, what is assumed, and what to do next. */
export const importSummary = (file: PlanFile, output: string | undefined): string[] => {
  const { name, hardware, model, assumed = [], notes = [] } = file;
  const notStated = whyNotStated(notes);
  const counted = model === undefined || notStated !== undefined ? "" : `, ${sizes(model)}`;
  return [
    `${name}: ${countOf(hardware.gpus, "GPU")}${counted}.`,
    ...(notStated === undefined
      ? []
      : wrapIndented(`Parameters are not stated: ${notStated}.`, LINE_WIDTH, 0)),
    ...(assumed.length === 0
      ? []
      : wrapIndented(`Assumed, as no source gives it: ${assumed.join(", ")}.`, LINE_WIDTH, 0)),
    ...(output === undefined
      ? ["`-o plan.json` keeps the plan, for `shardbench check plan.json` to judge."]
      : [
          `The plan is in ${output}.`,
          `\`shardbench check ${output}\` says whether it is sound and can run.`,
        ]),
  ];
};

const sizes = (model: NonNullable<PlanFile["model"]>): string => {
  const { total, active } = countParameters(modelOf(model));
  const routed = active === total ? "" : `, of which a token passes ${billions(active)}`;
  return `${billions(total)} parameters${routed}`;
};

const billions = (count: number): string =>
  count >= 1e9
    ? `${Number((count / 1e9).toPrecision(3))} billion`
    : `${Number((count / 1e6).toPrecision(3))} million`;
