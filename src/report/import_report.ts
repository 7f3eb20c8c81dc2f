// What an import has to say: its findings, then the plan in a few words.

import { whyNotStated } from "../plan/import/parameters_stated.ts";
import type { ImportResult } from "../plan/import/note.ts";
import { countParameters } from "../plan/parameters.ts";
import type { PlanFile } from "../plan/schema.ts";
import { modelOf } from "../plan/stages_from_degrees.ts";
import { countOf } from "../measure/format.ts";
import { line, paragraph, type Block, type Report } from "./section.ts";
import { findingSections, type FindingGroup } from "./sections/findings.ts";

const groups: readonly FindingGroup[] = [
  { severity: "error", title: "Errors", tone: "bad" },
  { severity: "warning", title: "Not in the plan, or not run", tone: "doubtful" },
  { severity: "info", title: "Noted", tone: "faint" },
];

/** @param output where the plan went, if to a file */
export function importReport(
  { diagnostics, file, needs = [] }: ImportResult,
  output: string | undefined,
): Report {
  const end: Block[] =
    file === undefined
      ? [line([{ text: "No plan: mend the errors above.", tone: "bad" }])]
      : summaryOf(file, output, needs);
  return { sections: [...findingSections(diagnostics, groups), { blocks: end }] };
}

/** Name, GPUs and parameters, what is assumed, and what to do next. */
function summaryOf(file: PlanFile, output: string | undefined, needs: readonly string[]): Block[] {
  const { name, hardware, model, assumed = [], notes = [] } = file;
  const notStated = whyNotStated(notes);
  const counted = model === undefined || notStated !== undefined ? "" : `, ${sizes(model)}`;
  return [
    line([`${name}: ${countOf(hardware.gpus, "GPU")}${counted}.`]),
    ...(notStated === undefined ? [] : [paragraph(`Parameters are not stated: ${notStated}.`)]),
    ...(assumed.length === 0
      ? []
      : [paragraph(`Assumed, as no source gives it: ${assumed.join(", ")}.`)]),
    ...(needs.length === 0
      ? []
      : [
          paragraph(
            `The plan runs whole sequences. With ${needs.join(" and ")} it serves requests, in prefill and decode steps.`,
          ),
        ]),
    ...(output === undefined
      ? [line(["`-o plan.json` keeps the plan, for `shardbench check plan.json` to judge."])]
      : [
          line([`The plan is in ${output}.`]),
          line([`\`shardbench check ${output}\` says whether it is sound and can run.`]),
        ]),
  ];
}

function sizes(model: NonNullable<PlanFile["model"]>): string {
  const { total, active } = countParameters(modelOf(model));
  const routed = active === total ? "" : `, of which a token passes ${billions(active)}`;
  return `${billions(total)} parameters${routed}`;
}

function billions(count: number): string {
  return count >= 1e9
    ? `${Number((count / 1e9).toPrecision(3))} billion`
    : `${Number((count / 1e6).toPrecision(3))} million`;
}
