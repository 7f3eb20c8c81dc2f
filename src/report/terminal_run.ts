// A whole run on a terminal: who ran, whether the numbers are right, how fast, and which claims hold.

import type { Plan } from "../plan/plan.ts";
import type { Colours } from "./colour.ts";
import type { RunResult } from "./result.ts";
import { adapterLines, checkLine, outcomeLines, planLine } from "./run_header.ts";
import { expertLines, layerLines, memoryLines, speedLines, timeLines } from "./run_sections.ts";
import { verdictLines } from "./terminal_verdicts.ts";

/**
 * Lines of at most 80 columns.
 *
 * @param resultFile where the result was written, if it was
 */
export const runReport = (
  plan: Plan,
  result: RunResult,
  colours: Colours,
  resultFile?: string,
): string[] => {
  const sections: readonly (readonly [title: string, lines: readonly string[]])[] = [
    ["Adapters", adapterLines(plan, result, colours)],
    ["Check", checkLine(result, colours)],
    ["Speed", speedLines(result, colours)],
    ["Time per rank, % of a step's wall (mean over steps)", timeLines(result, colours)],
    ["Latency per layer, one micro-batch", layerLines(result, colours)],
    ["Memory per rank", memoryLines(result, colours)],
    ["Experts", expertLines(result, colours)],
    ["Claims", verdictLines(result.verdicts, colours)],
  ];
  return [
    colours.strong(planLine(plan)),
    ...sections.flatMap(([title, lines]) =>
      lines.length === 0 ? [] : ["", colours.strong(title), lines].flat(),
    ),
    ...outcomeLines(result, colours),
    ...(resultFile === undefined ? [] : ["", `Result file: ${resultFile}`]),
  ];
};
