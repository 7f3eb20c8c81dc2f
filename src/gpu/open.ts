// Opens one adapter in this process. The Vulkan loader reads its environment once, so a process is bound
// to the driver that it opens first.

import { constants } from "node:os";
import { EnvironmentError } from "../environment_error.ts";
import type { AdapterChoice } from "./adapter.ts";
import { createBufferStore } from "./buffers.ts";
import { describeAdapter } from "./describe_adapter.ts";
import { createPrepare } from "./dispatch.ts";
import { unpackEmbeddedAdapter } from "./embedded_adapter.ts";
import type { LogicalGpu } from "./logical_gpu.ts";

export interface OpenOptions {
  /** Dawn's null backend: validates and compiles, executes nothing. */
  readonly backend?: "null";
}

const usefulFeatures = [
  "timestamp-query",
  "shader-f16",
  "subgroups",
  "subgroup-size-control",
  "chromium-experimental-subgroup-matrix",
];

/** Makes the process show only the chosen driver. Call before Dawn is loaded. */
export async function bindProcess(choice: AdapterChoice): Promise<void> {
  let manifest = choice.driverManifest;
  if (choice.loader === "embedded") {
    const embedded = await unpackEmbeddedAdapter();
    manifest ??= embedded.driverManifest;
    loadLibrary(embedded.loader);
  }
  if (manifest !== undefined) {
    process.env["VK_DRIVER_FILES"] = manifest;
    // The name that loaders before 1.3.207 know.
    process.env["VK_ICD_FILENAMES"] = manifest;
  }
}

/** Stays loaded under its soname, so that Dawn's own lookup by name finds it. */
function loadLibrary(path: string): void {
  const stayLoaded = 0x1000; // RTLD_NODELETE
  try {
    process.dlopen({ exports: {} }, path, constants.dlopen.RTLD_NOW | stayLoaded);
  } catch (cause) {
    // Node expects an addon and says so after it has loaded the library.
    if ((cause as Error).message.includes("did not self-register")) return;
    throw new EnvironmentError(
      "no-adapter",
      `the embedded Vulkan loader does not load: ${(cause as Error).message}`,
      "choose an adapter of the system with --adapter, or report this with the output of `ldd --version`",
    );
  }
}

/** Opens the adapter with every feature we can use and its highest limits. */
export async function openGpu(
  choice: AdapterChoice,
  options: OpenOptions = {},
): Promise<LogicalGpu> {
  await bindProcess(choice);
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  const flags = ["enable-dawn-features=allow_unsafe_apis"];
  flags.push("disable-dawn-features=timestamp_quantization");
  flags.push(options.backend === "null" ? "backend=null" : `adapter=${choice.name}`);
  // While anything is pending Dawn must be referenced, or the process crashes; after that it must not be,
  // or Node never exits. So the reference lives from here to `close`.
  const instance = create(flags);
  const references: object[] = [instance];
  const adapter = await instance.requestAdapter();
  if (adapter === null) throw notFound(choice);

  const report = describeAdapter(choice, adapter);
  const device = await adapter.requestDevice({
    label: choice.id,
    requiredFeatures: usefulFeatures.filter((feature) =>
      adapter.features.has(feature),
    ) as GPUFeatureName[],
    requiredLimits: { ...report.limits },
  });

  let closed = false;
  let uncaptured: string | undefined;
  device.addEventListener("uncapturederror", (event) => {
    uncaptured ??= event.error.message;
  });
  return {
    device,
    report,
    ...createBufferStore(device, choice.id),
    prepare: createPrepare(device),
    check() {
      if (uncaptured !== undefined) throw new Error(`adapter ${choice.id}: ${uncaptured}`);
    },
    lost: new Promise((resolve) => {
      void device.lost.then(({ reason, message }) => {
        if (!closed) resolve(message === "" ? reason : message);
      });
    }),
    close() {
      closed = true;
      device.destroy();
      references.length = 0;
    },
  };
}

function notFound(choice: AdapterChoice): EnvironmentError {
  return new EnvironmentError(
    "no-adapter",
    `adapter ${choice.id} (${choice.name}) does not open`,
    "`shardbench adapters` lists what is there",
  );
}
