// Where the Vulkan drivers and layers of a Linux machine announce themselves.

import { readdir, realpath, stat } from "node:fs/promises";
import { basename, delimiter, join } from "node:path";
import { restrictedDrivers } from "./vulkan_variables.ts";

/** Paths of all driver manifests of the machine, or of those that the user restricts Vulkan to. */
export async function findDriverManifests(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string[]> {
  const places = restrictedDrivers(environment)?.paths ?? manifestFolders(environment, "icd.d");
  const found = await Promise.all(places.map(manifestsAt));
  return [...new Set(found.flat())];
}

/**
 * Whether the layer is there that puts the GPU first which `DRI_PRIME` names; without it the variable means
 * nothing to drivers that are not Mesa's.
 */
export async function hasDeviceSelectLayer(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<boolean> {
  if (process.platform !== "linux") return false;
  const found = await Promise.all(
    manifestFolders(environment, "implicit_layer.d").map(manifestsAt),
  );
  return found.flat().some((path) => basename(path).startsWith("VkLayer_MESA_device_select"));
}

function manifestFolders(
  environment: Readonly<Record<string, string | undefined>>,
  kind: "icd.d" | "implicit_layer.d",
): string[] {
  const home = environment["HOME"];
  const own =
    environment["XDG_DATA_HOME"] ?? (home === undefined ? [] : join(home, ".local/share"));
  const shared = environment["XDG_DATA_DIRS"] ?? "/usr/local/share:/usr/share";
  return [
    "/etc",
    own,
    shared.split(delimiter),
    // Where NVIDIA's driver lies when it is mounted into a container beside the system.
    "/usr/local/nvidia/share",
  ]
    .flat()
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, "vulkan", kind));
}

async function manifestsAt(place: string): Promise<string[]> {
  try {
    if (!(await stat(place)).isDirectory()) return [await realpath(place)];
    const files = (await readdir(place)).filter((file) => file.endsWith(".json")).toSorted();
    return await Promise.all(files.map((file) => realpath(join(place, file))));
  } catch {
    // Most of these folders exist on few machines.
    return [];
  }
}
