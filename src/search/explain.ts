// In what two plans differ, field by field as they are written.

import type { PlanFile } from "../plan/schema.ts";

export interface FieldChange {
  /** With dots between keys and indices. */
  readonly path: string;
  /** As JSON; absent where the plan does not have it. */
  readonly before?: string;
  readonly after?: string;
}

const compared = new Set([
  "hardware",
  "workload",
  "parallel",
  "stages",
  "communications",
  "optimizations",
]);

export function changesBetween(before: PlanFile, after: PlanFile): FieldChange[] {
  const own = leavesOf(before);
  const other = leavesOf(after);
  return [...new Set([...own.keys(), ...other.keys()])].flatMap((path): FieldChange[] => {
    const [from, to] = [own.get(path), other.get(path)];
    if (from === to) return [];
    return [
      {
        path,
        ...(from === undefined ? {} : { before: from }),
        ...(to === undefined ? {} : { after: to }),
      },
    ];
  });
}

/** Lists of numbers and words are one field. */
function leavesOf(file: PlanFile): Map<string, string> {
  const leaves = new Map<string, string>();
  const visit = (value: unknown, path: string): void => {
    const isPlainList =
      Array.isArray(value) && value.every((item) => typeof item !== "object" || item === null);
    if (typeof value !== "object" || value === null || isPlainList) {
      leaves.set(path, JSON.stringify(value));
      return;
    }
    for (const [key, item] of Object.entries(value)) visit(item, `${path}.${key}`);
  };
  for (const [key, value] of Object.entries(file)) if (compared.has(key)) visit(value, key);
  return leaves;
}
