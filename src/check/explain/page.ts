// docs/diagnostics.md: every code that the check can give, with an example of each side. What was found
// and how to mend it are the rules' own words, on the example.

import { checkPlan } from "../check_plan.ts";
import type { Diagnostic } from "../../plan/diagnostic.ts";
import { parsePlan } from "../../plan/load.ts";
import { claimCodes } from "./claims.ts";
import { compactYaml, degreesBase, type Example, type Explained, stagesBase } from "./example.ts";
import { formCodes } from "./form.ts";
import { placementCodes } from "./placement.ts";
import { sizeCodes } from "./sizes.ts";

const chapters: readonly (readonly [title: string, codes: readonly Explained[]])[] = [
  ["Form", formCodes],
  ["GPUs, splits and communications", placementCodes],
  ["Sizes, degrees and memory", sizeCodes],
  ["Claims", claimCodes],
];

/** Every code, as a reader looks it up. */
export const explained: readonly Explained[] = chapters.flatMap(([, codes]) => codes);

/** All that loading and checking say of an example. */
export const diagnose = (
  { text, file }: Example,
  adapter: Explained["adapter"],
): readonly Diagnostic[] => {
  const { plan, document, diagnostics } = parsePlan(text, file);
  if (plan === undefined) return diagnostics;
  return [...diagnostics, ...checkPlan(plan, document, adapter === undefined ? {} : { adapter })];
};

/** The whole page. */
export const diagnosticsPage = (): string =>
  [
    "# What `shardbench check` says",
    "Errors keep a plan from running, warnings do not, infos confirm what holds. Each code is stable. The " +
      "examples are changes to one of the two sound plans at the end. This page is generated from the rules.",
    ...chapters.flatMap(([title, codes]) => [
      `## ${title}`,
      ...codes.toSorted((a, b) => a.code.localeCompare(b.code)).map(section),
    ]),
    "## The plans that the examples change",
    ...[degreesBase, stagesBase].map((base) => fenced(compactYaml(base))),
  ].join("\n\n") + "\n";

const section = (entry: Explained): string => {
  const { code, requires, bad, good, adapter } = entry;
  const found = diagnose(bad, adapter).find((each) => each.code === code);
  const severity = found?.severity ?? "error";
  const says = found === undefined ? [] : [`- says: ${oneLine(found.message)}`];
  const mend = found?.hint === undefined ? [] : [`- to mend it: ${oneLine(found.hint)}`];
  const limits =
    adapter === undefined
      ? []
      : [`- with an adapter whose limits are ${adapter.maxBufferSize} bytes`];
  return [
    `### ${code}`,
    `**${severity}.** ${requires}`,
    [...says, ...mend, ...limits].join("\n"),
    `${severity === "info" ? "Said" : "Bad"}${shownOf(bad)}`,
    `${severity === "info" ? "Not said" : "Good"}${shownOf(good)}`,
  ].join("\n\n");
};

const shownOf = ({ shown, base }: Example): string => {
  if (base === undefined) return `:\n\n${fenced(shown)}`;
  return shown === ""
    ? `: the plan \`${base}\` as it is.`
    : `, a change to the plan \`${base}\`:\n\n${fenced(shown)}`;
};

const fenced = (text: string): string => `\`\`\`yaml\n${text.trimEnd()}\n\`\`\``;

const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ");
