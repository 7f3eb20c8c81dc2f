// Which values of a plan its source did not give: one spelling for their paths, and one answer to what
// leans on them.

import type { Path } from "./document.ts";
import type { Plan } from "./plan.ts";

/** `stages[0].layers[1].in`, `/stages/0/layers/1/in` and `$.stages[0]["layers"][1].in` are one path. */
export const assumedPath = (written: string): Path =>
  written.split(/[\s./[\]"'$]+/).filter((key) => key !== "");

/** The paths in one spelling, keys and indices with dots between them, each once. */
export const assumedPaths = (written: readonly string[]): string[] => [
  ...new Set(written.map((path) => assumedPath(path).join(".")).filter((path) => path !== "")),
];

const isWithin = (path: string, parent: string): boolean =>
  path === parent || path.startsWith(`${parent}.`);

/**
 * The assumed values that any of `paths` leans on, in the plan's order and spelling: the path itself, a
 * part of the plan that it belongs to (`model` for `model.hidden`), or a part of it (`model.hidden` for
 * `model`). A figure from a datasheet leans on `hardware.gpu`. `paths` are keys and indices with dots
 * between them.
 */
export const assumedAmong = (
  { assumed, hardware }: Pick<Plan, "assumed" | "hardware">,
  paths: readonly string[],
): string[] => {
  const isPrinted = (path: string): boolean =>
    Object.entries(hardware.sources ?? {}).some(
      ([key, source]) => source !== "plan" && path === `hardware.${key}`,
    );
  const all = paths.some(isPrinted) ? [...paths, "hardware.gpu"] : paths;
  return assumed.filter((entry) =>
    all.some((path) => isWithin(path, entry) || isWithin(entry, path)),
  );
};
