// What a fix is: from one diagnostic to the ways out of it, as JSON Patches, the one that changes least of
// the plan's meaning first. A fix only proposes; the search keeps what passes the whole check.

import type {
  AddOperation,
  RemoveOperation,
  ReplaceOperation,
  MoveOperation,
} from "rfc6902/diff.js";
import type { Diagnostic } from "../../plan/diagnostic.ts";
import { type Path, valueAt } from "../../plan/document.ts";
import type { Plan } from "../../plan/plan.ts";
import type { PlanFile } from "../../plan/schema.ts";

/** RFC 6902, as far as repairs use it. */
export type PatchOperation = AddOperation | RemoveOperation | ReplaceOperation | MoveOperation;

export interface Proposal {
  readonly patch: readonly PatchOperation[];
  /** What is done, such as "tensorGroup now names GPUs 0, 1". */
  readonly description: string;
  /** What it means for who uses the plan. */
  readonly consequence: string;
}

/** A plan with its errors. */
export interface Faulty {
  /** The file's value. */
  readonly value: unknown;
  /** Absent where the value does not fit the schema. */
  readonly written?: PlanFile;
  readonly plan?: Plan;
}

/** `Found` is the data that the diagnostic's rule gives with it. */
export type Fix<Found = unknown> = (
  faulty: Faulty,
  diagnostic: Diagnostic,
  found: Found,
) => readonly Proposal[];

/** A fix of a plan that loads. */
export function fixOfPlan(
  propose: (plan: Plan, faulty: Faulty, path: Path) => readonly Proposal[],
): Fix {
  return (faulty, { path }) =>
    faulty.plan === undefined ? [] : propose(faulty.plan, faulty, path);
}

/** What stands at the diagnostic's path is left out. */
export function leaveOut(consequence: string): Fix {
  return (_faulty, { path }) => [
    { patch: [drop(path)], description: `${path.join(".")} is left out`, consequence },
  ];
}

/** One number changed. */
export function setNumber(
  faulty: Faulty,
  path: Path,
  value: number,
  consequence: string,
): Proposal {
  return {
    patch: [put(faulty, path, value)],
    description: `${path.join(".")} is now ${value}`,
    consequence,
  };
}

/** JSON Pointer, RFC 6901. */
export function pointer(path: Path): string {
  return path.map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** Puts a value where one is or none is. */
export function put({ value }: Faulty, path: Path, item: unknown): PatchOperation {
  return {
    op: valueAt(value, path) === undefined ? "add" : "replace",
    path: pointer(path),
    value: item,
  };
}

export function drop(path: Path): PatchOperation {
  return { op: "remove", path: pointer(path) };
}

export function roundUp(size: number, unit: number): number {
  return Math.ceil(size / unit) * unit;
}

/** A size below this fraction of what it would be raised to is no slip: the degree is. */
const mostGrowth = 4;

/**
 * A multiple of `unit`, reached by padding `size`.
 * @returns undefined where that would be another model altogether
 */
export function paddedTo(size: number, unit: number): number | undefined {
  const padded = roundUp(size, unit);
  return padded > mostGrowth * size ? undefined : padded;
}
