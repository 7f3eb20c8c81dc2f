// What a repair changes, as the parts of the file before and after.

import type { PlanDocument } from "../../plan/document.ts";
import { parsePlan } from "../../plan/load.ts";
import type { RepairedPlan } from "../../check/repair.ts";
import { code, list, verbatim, type Section, type Verbatim } from "../section.ts";

export function repairSections(document: PlanDocument, repaired: RepairedPlan): Section[] {
  const before = recordOf(document.value);
  const after = recordOf(parsePlan(repaired.text, document.file).document.value);
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]),
  );
  const part = (from: Readonly<Record<string, unknown>>): Verbatim => {
    const own = changed.filter((key) => key in from).map((key) => [key, from[key]]);
    return verbatim(JSON.stringify(Object.fromEntries(own), null, 2).split("\n"), "json");
  };
  return [
    { title: "Original Problematic Configuration", blocks: [part(before)] },
    {
      title: "Corrected Configuration",
      blocks: [
        part(after),
        list(
          repaired.repairs.map(({ rule, description }) => ({
            spans: [`${description} [`, code(rule), "]"],
          })),
        ),
      ],
    },
  ];
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value))
    : {};
}
