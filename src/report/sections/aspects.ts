// Qualities of a plan, each with its mark.

import type { Aspect, AspectJudgement } from "../../check/aspects/aspect.ts";
import { groupBy } from "../../group_by.ts";
import {
  code,
  faint,
  list,
  paragraph,
  strong,
  type Item,
  type Section,
  type TonedText,
  type Text,
} from "../section.ts";

export const marks: Readonly<Record<AspectJudgement, string>> = {
  held: "✅",
  contradicted: "❌",
  "not decidable": "❔",
};

/** Said once, before the first aspect. */
export function marksExplained(isAssuming: boolean): Text {
  return paragraph([
    `${marks.held} held, ${marks.contradicted} contradicted, ${marks["not decidable"]} not decidable without a run or ` +
      "without what the plan does not say.",
    ...(isAssuming
      ? [
          " ",
          faint("(assumed: 7 of stages)"),
          " leans on as many of the assumed values of that part, which the notes name, and is true for these.",
        ]
      : []),
  ]);
}

export function aspectsSection(title: string, aspects: readonly Aspect[]): Section {
  return { title, blocks: aspects.length === 0 ? [] : [list(aspects.map(itemOf))] };
}

function itemOf(aspect: Aspect): Item {
  const { judgement, title, why, codes, leansOn, parts } = aspect;
  return {
    spans: [
      `${marks[judgement]} `,
      strong(title),
      `: ${why}`,
      ...(codes.length === 0 ? [] : [" [", ...codes.flatMap(separated), "]"]),
      ...(leansOn.length === 0 ? [] : [" ", faint(`(assumed: ${assumedText(leansOn)})`)]),
    ],
    ...(parts === undefined ? {} : { items: parts.map(itemOf) }),
  };
}

function separated(name: string, i: number): TonedText[] {
  return i === 0 ? [code(name)] : [", ", code(name)];
}

/** Many values of one part of a plan by their number. */
function assumedText(assumed: readonly string[]): string {
  return [...groupBy(assumed, (path) => path.split(".")[0] ?? "")]
    .map(([root, paths]) => (paths.length === 1 ? paths[0] : `${paths.length} of ${root}`))
    .join(", ");
}
