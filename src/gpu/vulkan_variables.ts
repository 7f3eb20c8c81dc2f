// Variables by which a user tells the Vulkan loader what to load. They are for the system's drivers: the embedded one
// is chosen by this program, and would not be found where they name others.

import { access } from "node:fs/promises";
import { delimiter } from "node:path";

export type Environment = Readonly<Record<string, string | undefined>>;

const restricting = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"] as const;

const filtering = [
  "VK_ADD_DRIVER_FILES",
  "VK_LOADER_DRIVERS_SELECT",
  "VK_LOADER_DRIVERS_DISABLE",
  "VK_LOADER_DEVICE_SELECT",
  "VK_LOADER_LAYERS_ENABLE",
  "VK_INSTANCE_LAYERS",
] as const;

/** Paths that the user restricts Vulkan to, and the variable in force; undefined where there is none. */
export function restrictedDrivers(
  environment: Environment,
): { readonly variable: string; readonly paths: readonly string[] } | undefined {
  const variable = restricting.find((name) => environment[name] !== undefined);
  const value = variable === undefined ? "" : (environment[variable] ?? "");
  return variable === undefined || value === ""
    ? undefined
    : { variable, paths: value.split(delimiter).filter((path) => path !== "") };
}

/** Lets the loader of this process see no driver but the one it is bound to. */
export function clearFilters(environment: Record<string, string | undefined>): void {
  for (const name of filtering) delete environment[name];
}

export interface VariableInTheWay {
  /** The variable's name. */
  readonly id: string;
  readonly reason: string;
}

/** Those that hide drivers of the system, or name what is not there. */
export async function variablesInTheWay(environment: Environment): Promise<VariableInTheWay[]> {
  const restricted = restrictedDrivers(environment);
  const missing = await Promise.all(
    (restricted?.paths ?? []).map(async (path) =>
      access(path).then(
        () => [],
        () => [path],
      ),
    ),
  );
  return [
    ...missing.flat().map((path) => ({
      id: restricted?.variable ?? "",
      reason: `${path} is not there, or cannot be read; while the variable is set, no other driver of the system is looked for`,
    })),
    ...filtering.flatMap((id) => {
      const value = environment[id] ?? "";
      const reason = `it is set to "${value}", which the system's Vulkan loader heeds and the embedded adapter does not`;
      return value === "" ? [] : [{ id, reason }];
    }),
  ];
}
