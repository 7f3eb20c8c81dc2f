// Binds this process to one Vulkan driver, before Dawn is loaded. The Vulkan loader reads its environment
// once, so the binding is for the life of the process.

import { constants } from "node:os";
import { EnvironmentError } from "../environment_error.ts";
import type { AdapterChoice } from "./adapter.ts";
import { unpackEmbeddedAdapter } from "./embedded_adapter.ts";
import { messageOf } from "./message_of.ts";
import { clearFilters } from "./vulkan_variables.ts";

const systemLoader = "libvulkan.so.1";

export type DriverChoice = Pick<AdapterChoice, "loader" | "driverManifest" | "pciTag">;

/** Loads the loader where it is the embedded one, and restricts it to the driver. Linux only. */
export async function bindToDriver(choice: DriverChoice): Promise<void> {
  if (process.platform !== "linux") return;
  let manifest = choice.driverManifest;
  if (choice.loader === "embedded") {
    const embedded = await unpackEmbeddedAdapter();
    manifest ??= embedded.driverManifest;
    clearFilters(process.env);
    loadEmbedded(embedded.loader);
  }
  if (manifest !== undefined) {
    process.env["VK_DRIVER_FILES"] = manifest;
    // The name that loaders before 1.3.207 know.
    process.env["VK_ICD_FILENAMES"] = manifest;
  }
  // Mesa's device-select layer puts this one first, for other vendors' drivers too.
  if (choice.pciTag !== undefined) process.env["DRI_PRIME"] = choice.pciTag;
}

/** Whether the machine has a Vulkan loader of its own. Loads it. */
export function hasSystemLoader(): boolean {
  return loadLibrary(systemLoader) === undefined;
}

function loadEmbedded(path: string): void {
  const failure = loadLibrary(path);
  if (failure === undefined) return;
  throw new EnvironmentError(
    "no-adapter",
    `the embedded Vulkan loader does not load: ${failure}`,
    "choose an adapter of the system with --adapter",
  );
}

/** Why the library does not load; undefined when it did. */
function loadLibrary(path: string): string | undefined {
  // Stays loaded under its soname, so that Dawn's own lookup by name finds it.
  const stayLoaded = 0x1000; // RTLD_NODELETE
  try {
    process.dlopen({ exports: {} }, path, constants.dlopen.RTLD_NOW | stayLoaded);
  } catch (cause) {
    const message = messageOf(cause);
    // Node expects an addon, and says so after it has loaded the library.
    if (!message.includes("did not self-register")) return message;
  }
  return undefined;
}
