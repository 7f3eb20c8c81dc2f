// Opens one adapter in this process, which is bound to that adapter's driver from then on.

import { setImmediate } from "node:timers/promises";
import { EnvironmentError } from "../environment_error.ts";
import type { AdapterChoice } from "./adapter.ts";
import { createBufferStore } from "./buffers.ts";
import { adapterFlags, createDawn } from "./dawn.ts";
import { describeAdapter } from "./describe_adapter.ts";
import { createPrepare } from "./dispatch.ts";
import type { LogicalGpu } from "./logical_gpu.ts";
import { messageOf } from "./message_of.ts";
import { bindToDriver } from "./vulkan_driver.ts";

export interface OpenOptions {
  /** Dawn's null backend: validates and compiles, executes nothing. */
  readonly backend?: "null";
}

const usefulFeatures: readonly string[] = [
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
  // Held until `close`, see `createDawn`.
  const references: object[] = [dawn];
  const adapter = await request(dawn, choice);
  const report = describeAdapter(choice, adapter);
  const device = await adapter.requestDevice({
    label: choice.id,
    requiredFeatures: usefulFeatures.filter((feature): feature is GPUFeatureName =>
      adapter.features.has(feature),
    ),
    requiredLimits: { ...report.limits },
  });

  let closed = false;
  let uncaptured: string | undefined;
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    uncaptured ??= event.error.message;
  });
  return {
    device,
    report,
    ...createBufferStore(device, choice.id),
    prepare: createPrepare(device, report),
    check() {
      if (uncaptured !== undefined) throw new Error(`adapter ${choice.id}: ${uncaptured}`);
    },
    lost: lossOf(device, () => closed),
    close() {
      closed = true;
      device.destroy();
      void release(device, references);
    },
  };
}

async function request(dawn: GPU, choice: AdapterChoice): Promise<GPUAdapter> {
  let reason = "Dawn accepts none of that name";
  try {
    const adapter = await dawn.requestAdapter();
    if (adapter !== null) return adapter;
  } catch (cause) {
    reason = messageOf(cause);
  }
  throw new EnvironmentError(
    "no-adapter",
    `adapter ${choice.id} (${choice.name}) does not open: ${reason}`,
    "`shardbench adapters` lists what is there",
  );
}

/** Never settles for a device that is closed on purpose. */
async function lossOf(device: GPUDevice, isClosed: () => boolean): Promise<string> {
  const { reason, message } = await device.lost;
  if (isClosed()) return new Promise<never>(() => {});
  return message === "" ? reason : message;
}

/** Lets go of Dawn once it has said its last word, which is that the device is lost. */
async function release(device: GPUDevice, references: object[]): Promise<void> {
  await device.lost;
  await setImmediate();
  references.length = 0;
}
