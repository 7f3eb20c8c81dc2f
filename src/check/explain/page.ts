// docs/diagnostics.md: every code that the check can give, with an example of each side. What was found
// and how to mend it are the rules' own words, on the example.

import type { Diagnostic } from "../../plan/diagnostic.ts";
import { parsePlan } from "../../plan/load.ts";
import { checkPlan } from "../check_plan.ts";
import { type AdapterLimits, bases, type Example } from "../example.ts";
import type { Chapter, DiagnosticDefinition } from "../rule.ts";
import { rules } from "../rules/all.ts";
import { compactYaml, renderExample } from "./render_example.ts";

const chapters: Readonly<Record<Chapter, string>> = {
  structure: "Structure",
  splits: "GPUs, splits and communications",
  sizes: "Sizes, degrees and memory",
  claims: "Claims",
};

const chapterNames = ["structure", "splits", "sizes", "claims"] as const;

/** In the order of the alphabet; several rules may give one code. */
function codesOf(chapter: Chapter): readonly DiagnosticDefinition<unknown>[] {
  const own = rules.filter((rule) => rule.chapter === chapter);
  const distinct = [...new Set(own.flatMap(({ diagnostics }) => diagnostics))];
  return distinct.toSorted((a, b) => a.code.localeCompare(b.code));
}

/** All that loading and checking say of an example. */
export function diagnose(
  example: Example,
  adapter: AdapterLimits | undefined,
): readonly Diagnostic[] {
  const { text, file } = renderExample(example);
  const { plan, document, diagnostics } = parsePlan(text, file);
  if (plan === undefined) return diagnostics;
  return [...diagnostics, ...checkPlan(plan, document, adapter === undefined ? {} : { adapter })];
}

/** The whole page. */
export function diagnosticsPage(): string {
  return (
    [
      "# What `shardbench check` says",
      "Errors keep a plan from running, warnings do not, infos confirm what holds. Each code is stable. The " +
        "examples are changes to one of the two sound plans at the end. This page is generated from the rules.",
      ...chapterNames.flatMap((chapter) => [
        `## ${chapters[chapter]}`,
        ...codesOf(chapter).map(section),
      ]),
      "## The plans that the examples change",
      ...[bases.degrees, bases.stages].map((base) => fenced(compactYaml(base))),
    ].join("\n\n") + "\n"
  );
}

function section({ code, severity, requires, examples }: DiagnosticDefinition<unknown>): string {
  const { bad, good, adapter } = examples;
  const found = diagnose(bad, adapter).find((each) => each.code === code);
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
}

function shownOf(example: Example): string {
  const { shown } = renderExample(example);
  if (!("base" in example)) return `:\n\n${fenced(shown)}`;
  return shown === ""
    ? `: the plan \`${example.base}\` as it is.`
    : `, a change to the plan \`${example.base}\`:\n\n${fenced(shown)}`;
}

function fenced(text: string): string {
  return `\`\`\`yaml\n${text.trimEnd()}\n\`\`\``;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}
