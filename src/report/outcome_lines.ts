// How a run ended that did not complete, and what it kept.

import type { Colours } from "./colour.ts";
import { countOf } from "../measure/format.ts";
import type { Outcome, RunResult } from "../result/result.ts";
import { LINE_WIDTH } from "./table.ts";
import { wrap, wrapIndented } from "./text_width.ts";

export const outcomeLines = ({ outcome, samples }: RunResult, colours: Colours): string[] =>
  endLines(outcome, `${countOf(samples.length, "sample")} kept`, colours);

/** @param kept in a phrase */
export const endLines = (outcome: Outcome, kept: string, colours: Colours): string[] => {
  if (outcome.state === "complete") return [];
  if (outcome.state === "interrupted") return ["", colours.doubtful(`Interrupted: ${kept}.`)];
  const what = `Stopped by ${outcome.code}: ${outcome.message.replace(/\.+$/, "")}. ${kept}.`;
  return [
    "",
    ...wrap(what, LINE_WIDTH).map(colours.bad),
    ...wrapIndented(`→ ${outcome.hint}`, LINE_WIDTH, 2),
  ];
};
