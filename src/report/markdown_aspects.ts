// Qualities of a plan as lines of Markdown, each with its mark.

import type { Aspect, AspectJudgement } from "../check/aspects/aspect.ts";
import { groupBy } from "../group_by.ts";

export const marks: Readonly<Record<AspectJudgement, string>> = {
  held: "✅",
  contradicted: "❌",
  "not decidable": "❔",
};

/** Said once, before the first line. */
export const marksExplained = (isAssuming: boolean): string =>
  `${marks.held} held, ${marks.contradicted} contradicted, ${marks["not decidable"]} not decidable without a run or ` +
  "without what the plan does not say." +
  (isAssuming
    ? " *(assumed: 7 of stages)* leans on as many of the assumed values of that part, which the notes name, and is " +
      "true for these."
    : "");

/** None where there is nothing to say. */
export const aspectList = (title: string, aspects: readonly Aspect[]): string[] =>
  aspects.length === 0 ? [] : [`### ${title}`, "", ...aspects.flatMap((each) => lines(each)), ""];

const lines = (aspect: Aspect, indent = ""): string[] => [
  `${indent}- ${marks[aspect.judgement]} **${aspect.title}**: ${aspect.why}${behind(aspect)}`,
  ...(aspect.parts ?? []).flatMap((part) => lines(part, `${indent}  `)),
];

const behind = ({ codes, leansOn }: Aspect): string => {
  const rules = codes.length === 0 ? "" : ` [${codes.map((code) => `\`${code}\``).join(", ")}]`;
  return leansOn.length === 0 ? rules : `${rules} *(assumed: ${assumedText(leansOn)})*`;
};

/** Many values of one part of a plan by their number. */
const assumedText = (assumed: readonly string[]): string =>
  [...groupBy(assumed, (path) => path.split(".")[0] ?? "")]
    .map(([root, paths]) => (paths.length === 1 ? paths[0] : `${paths.length} of ${root}`))
    .join(", ");
