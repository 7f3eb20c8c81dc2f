// The repair of a plan file: what asked for it, and where the corrected plan goes.

import { checkPlan, hasErrors } from "../check/check_plan.ts";
import { parsePlan } from "../plan/load.ts";
import { type Alternative, repairPlan, type Repair } from "../check/repair.ts";
import { terminalLines } from "../report/render/terminal.ts";
import { checkReport } from "../report/check_report.ts";
import { LINE_WIDTH } from "../report/render/table.ts";
import { wrapIndented } from "../report/render/text_width.ts";
import type { Inspected } from "./bad_plan.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import {
  errorColors,
  printedDiagnostic,
  printErrorLines,
  printErrorReport,
  printJson,
  printPlanText,
} from "./output.ts";
import { writeText } from "./write_text.ts";

interface Target {
  readonly output?: string;
  readonly write?: boolean;
  readonly json?: boolean;
}

/** The corrected plan alone goes to stdout; all words about it go to stderr. */
export async function repairFile(
  file: string,
  { plan, document, diagnostics, estimate }: Inspected,
  flags: Target,
): Promise<ExitCode> {
  const repaired = repairPlan(document, estimate);
  if (repaired === undefined) {
    const sound = plan !== undefined && !hasErrors(diagnostics);
    if (flags.json === true)
      printJson({ repairs: [], diagnostics: diagnostics.map(printedDiagnostic) });
    else if (sound) printErrorLines(["Nothing to repair: no rule asks for it."]);
    else
      printErrorLines([
        ...terminalLines(checkReport({ diagnostics }), errorColors()),
        "No repair is known.",
      ]);
    return sound ? exitCodes.fine : exitCodes.badPlan;
  }
  const left = checkPlan(repaired.plan, parsePlan(repaired.text, file).document);
  const target = flags.output ?? (flags.write === true ? file : undefined);
  if (target !== undefined) await writeText(target, repaired.text, flags.write === true);
  if (flags.json === true) {
    const { repairs, patch, alternatives, text } = repaired;
    printJson({ repairs, patch, alternatives, text, diagnostics: left.map(printedDiagnostic) });
  } else {
    printErrorLines([...repairLines(repaired.repairs), ...alternativeLines(repaired.alternatives)]);
    if (target === undefined) printPlanText(repaired.text);
    else printErrorLines([`The corrected plan is in ${target}.`]);
    if (hasErrors(left)) printErrorReport(checkReport({ diagnostics: left }));
  }
  return hasErrors(left) ? exitCodes.badPlan : exitCodes.fine;
}

function repairLines(repairs: readonly Repair[]): string[] {
  return repairs.flatMap(({ rule, description, consequence }) => [
    `Repaired, as ${rule} asks:`,
    ...wrapIndented(description, LINE_WIDTH, 4),
    ...wrapIndented(`→ ${consequence}`, LINE_WIDTH, 4),
  ]);
}

/** Ranked; `--json` gives each with its patch and its text. */
function alternativeLines(alternatives: readonly Alternative[]): string[] {
  return alternatives.length === 0
    ? []
    : [
        "Other ways that pass the check (--json shows each as a patch):",
        ...alternatives.flatMap(({ description, consequence }, i) => [
          ...wrapIndented(`${i + 1}. ${description}`, LINE_WIDTH, 4),
          ...wrapIndented(`→ ${consequence}`, LINE_WIDTH, 7),
        ]),
      ];
}
