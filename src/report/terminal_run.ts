// A whole run on a terminal: who ran, whether the numbers are right, how fast, and which claims hold.

import { communicationLines } from "./communication_section.ts";
import type { Plan } from "../plan/plan.ts";
import { bubbleLines } from "./bubble_section.ts";
import type { Colours } from "./colour.ts";
import { kernelChoiceLines, kernelNoticeLines } from "./kernel_choices.ts";
import { projectionLines } from "./projection_section.ts";
import type { RunResult } from "../result/result.ts";
import { rooflineLines } from "./roofline_lines.ts";
import { checkLines } from "./check_lines.ts";
import { outcomeLines } from "./outcome_lines.ts";
import { adapterLines, planLine } from "./run_header.ts";
import {
  expertLines,
  hostLines,
  layerLines,
  memoryLines,
  speedLines,
  timeLines,
} from "./run_sections.ts";
import { verdictLines } from "./terminal_verdicts.ts";

export interface ReportOptions {
  /** Show the form of every kernel, and what the others reached. */
  readonly explain?: boolean;
}

/** Lines of at most 80 columns. */
export const runReport = (
  plan: Plan,
  result: RunResult,
  colours: Colours,
  { explain = false }: ReportOptions = {},
): string[] => {
  const sections: readonly (readonly [title: string, lines: readonly string[]])[] = [
    ["Adapters", adapterLines(plan, result, colours)],
    ["Kernels", kernelNoticeLines(result, colours)],
    ["Check", checkLines(result, colours)],
    ["Speed", speedLines(result, colours)],
    ["Time per rank, % of a step's wall (mean over steps)", timeLines(result, colours)],
    ["Host overhead, us per instruction", hostLines(result, colours)],
    ["Kernels against the roofline", rooflineLines(result, colours)],
    [
      "Bubble of the pipeline, % of the ranks' time",
      bubbleLines(plan, [result.metrics.bubble, result.projection?.bubble], colours),
    ],
    ["Projection", projectionLines(result.projection, result, colours)],
    ["Latency per layer, one micro-batch", layerLines(result, colours)],
    ["Communication per layer, one step", communicationLines(result, colours)],
    ["Memory per rank", memoryLines(result, colours)],
    ["Experts", expertLines(result, colours)],
    ["Forms of kernels", explain ? kernelChoiceLines(result, colours) : []],
    ["Claims", verdictLines(result.verdicts, colours)],
  ];
  return [
    colours.strong(planLine(plan)),
    ...sections.flatMap(([title, lines]) =>
      lines.length === 0 ? [] : ["", colours.strong(title), lines].flat(),
    ),
    ...outcomeLines(result, colours),
  ];
};
