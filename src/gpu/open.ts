// Opens one adapter in this process, which is bound to that adapter's driver from then on.

import { EnvironmentError } from "../environment_error.ts";
import type { AdapterChoice } from "./adapter.ts";
import { createBufferStore } from "./buffers.ts";
import { adapterFlags, createDawn } from "./dawn.ts";
import { describeAdapter } from "./describe_adapter.ts";
import { createPrepare } from "./dispatch.ts";
import type { LogicalGpu } from "./logical_gpu.ts";
import { bindToDriver } from "./vulkan_driver.ts";

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

/** Opens the adapter with every feature we can use and its highest limits. */
export async function openGpu(
  choice: AdapterChoice,
  options: OpenOptions = {},
): Promise<LogicalGpu> {
  const { backend } = options;
  if (backend === undefined) await bindToDriver(choice);
  const dawn = await createDawn(
    backend === undefined ? adapterFlags(choice) : [`backend=${backend}`],
  );
  const references: object[] = [dawn];
  const adapter = await request(dawn, choice);
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

async function request(dawn: GPU, choice: AdapterChoice): Promise<GPUAdapter> {
  let reason = "Dawn accepts none of that name";
  try {
    const adapter = await dawn.requestAdapter();
    if (adapter !== null) return adapter;
  } catch (cause) {
    reason = (cause as Error).message;
  }
  throw new EnvironmentError(
    "no-adapter",
    `adapter ${choice.id} (${choice.name}) does not open: ${reason}`,
    "`shardbench adapters` lists what is there",
  );
}
