// Opens one adapter in this process, which is bound to that adapter's driver from then on.

import { setImmediate } from "node:timers/promises";
import { EnvironmentError } from "../environment_error.ts";
import type { AdapterChoice } from "./adapter.ts";
import { adapterFlags, createDawn } from "./dawn.ts";
import type { LogicalGpu } from "./logical_gpu.ts";
import { messageOf } from "./message_of.ts";
import { openAdapter } from "./open_adapter.ts";
import { bindToDriver } from "./vulkan_driver.ts";

export interface OpenOptions {
  /** Dawn's null backend: validates and compiles, executes nothing. */
  readonly backend?: "null";
}

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
  const gpu = await openAdapter(choice, adapter);
  return {
    ...gpu,
    close() {
      gpu.close();
      void release(gpu.device, references);
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

/** Lets go of Dawn once it has said its last word, which is that the device is lost. */
async function release(device: GPUDevice, references: object[]): Promise<void> {
  await device.lost;
  await setImmediate();
  references.length = 0;
}
