// What a repair changes, as the parts of the file before and after.

import type { PlanDocument } from "../plan/document.ts";
import { parsePlan } from "../plan/load.ts";
import type { RepairedPlan } from "../check/repair.ts";
import { inert, inertMarkdown } from "./inert.ts";

export const repairSection = (document: PlanDocument, repaired: RepairedPlan): string[] => {
  const before = recordOf(document.value);
  const after = recordOf(parsePlan(repaired.text, document.file).document.value);
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]),
  );
  const part = (from: Readonly<Record<string, unknown>>): string[] => [
    "```json",
    ...JSON.stringify(
      Object.fromEntries(changed.filter((key) => key in from).map((key) => [key, from[key]])),
      null,
      2,
    )
      .split("\n")
      .map(inert),
    "```",
    "",
  ];
  return [
    "### Original Problematic Configuration",
    "",
    ...part(before),
    "### Corrected Configuration",
    "",
    ...part(after),
    ...repaired.repairs.map(
      ({ rule, description }) => `- ${inertMarkdown(description)} [\`${rule}\`]`,
    ),
    "",
  ];
};

const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
