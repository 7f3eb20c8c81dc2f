// Which values of a plan its source did not give: one spelling for their paths, and one answer to what
// leans on them.

import type { Path } from "./document.ts";
import type { Plan } from "./plan.ts";
import type { PlanFile } from "./schema.ts";

/** Parts of a plan that have values of their own: what an assumed whole plan is made of. */
const roots = [
  "hardware",
  "workload",
  "model",
  "parallel",
  "stages",
  "communications",
  "optimizations",
] as const;

/**
 * `stages[0].layers[1].in`, `/stages/0/layers/1/in` and `$.stages[0]["layers"][1].in` are one path; `model.*` is
 * `model`.
 */
export function assumedPath(written: string): Path {
  const keys = written.split(/(?:->|[\s./[\]"'$#])+/).filter((key) => key !== "");
  const star = keys.indexOf("*");
  const named = star < 0 ? keys : keys.slice(0, star);
  return named[0]?.toLowerCase() === "plan" ? named.slice(1) : named;
}

/** The paths in one spelling, keys and indices with dots between them, each once; the whole plan as its parts. */
export function assumedPaths(written: readonly string[]): string[] {
  return [
    ...new Set(
      written.flatMap((path) => {
        const keys = assumedPath(path);
        if (keys.length > 0) return [keys.join(".")];
        return path.trim() === "" ? [] : roots;
      }),
    ),
  ];
}

/** Letters' case does not matter, and a path may begin below the plan's parts: `moe.experts`. */
function isWithin(path: string, parent: string): boolean {
  const [own, above] = [`.${path.toLowerCase()}.`, `.${parent.toLowerCase()}.`];
  return own.includes(above);
}

/**
 * The assumed values that any of `paths` leans on, in the plan's order and spelling: the path itself, a
 * part of the plan that it belongs to (`model` for `model.hidden`), or a part of it (`model.hidden` for
 * `model`). A figure from a datasheet leans on `hardware.gpu`. `paths` are keys and indices with dots
 * between them.
 */
export function assumedAmong(
  { assumed, hardware }: Pick<Plan, "assumed" | "hardware">,
  paths: readonly string[],
): string[] {
  const isPrinted = (path: string): boolean =>
    Object.entries(hardware.sources ?? {}).some(
      ([key, source]) => source !== "plan" && path === `hardware.${key}`,
    );
  const all = paths.some(isPrinted) ? [...paths, "hardware.gpu"] : paths;
  return assumed.filter((entry) =>
    all.some((path) => isWithin(path, entry) || isWithin(entry, path)),
  );
}

/** What any figure of the program leans on. */
export const sizePaths: readonly string[] = [
  "model",
  "stages",
  "parallel",
  "workload.batch",
  "workload.microBatches",
  "workload.sequence",
  "workload.dtype",
];

/** A plan made of another one, without the marks of values that only the other has. */
export function withoutLostAssumed(before: PlanFile, after: PlanFile): PlanFile {
  const { assumed, ...rest } = after;
  if (assumed === undefined) return after;
  const isLost = (written: string): boolean => {
    const path = assumedPath(written);
    return namesSomething(path, [before]) && !namesSomething(path, [after]);
  };
  const kept = assumed.filter((path) => !isLost(path));
  return kept.length === assumed.length
    ? after
    : { ...rest, ...(kept.length === 0 ? {} : { assumed: kept }) };
}

/** Whatever the case of its letters, and from whichever part of the plan it begins. */
export function namesSomething(path: Path, plans: readonly unknown[]): boolean {
  return (
    path.length === 0 ||
    plans.some((plan) => beginningsIn(plan).some((part) => valueAtFolded(part, path) !== undefined))
  );
}

/** The plan and its parts: `moe.experts` is that of the model. */
function beginningsIn(plan: unknown): unknown[] {
  return [plan, ...(typeof plan === "object" && plan !== null ? Object.values(plan) : [])];
}

function valueAtFolded(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    const wanted = String(key).toLowerCase();
    value = Object.entries(value).find(([name]) => name.toLowerCase() === wanted)?.[1];
  }
  return value;
}
