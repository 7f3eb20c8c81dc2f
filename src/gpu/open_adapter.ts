// An adapter of WebGPU, whether Dawn gave it or a browser, as a logical GPU.

import type { AdapterChoice } from "./adapter.ts";
import { createBufferStore } from "./buffers.ts";
import { describeAdapter } from "./describe_adapter.ts";
import { createPrepare } from "./dispatch.ts";
import type { LogicalGpu } from "./logical_gpu.ts";

const usefulFeatures: readonly string[] = [
  "timestamp-query",
  "shader-f16",
  "subgroups",
  "subgroup-size-control",
  "chromium-experimental-subgroup-matrix",
];

/**
 * Its device with every feature we can use and its highest limits.
 *
 * @param without features to do without
 */
export async function openAdapter(
  choice: AdapterChoice,
  adapter: GPUAdapter,
  without: readonly string[] = [],
): Promise<LogicalGpu> {
  const report = describeAdapter(choice, adapter);
  const device = await adapter.requestDevice({
    label: choice.id,
    requiredFeatures: usefulFeatures.filter(
      (feature): feature is GPUFeatureName =>
        adapter.features.has(feature) && !without.includes(feature),
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
    },
  };
}

/** Never settles for a device that is closed on purpose. */
async function lossOf(device: GPUDevice, isClosed: () => boolean): Promise<string> {
  const { reason, message } = await device.lost;
  if (isClosed()) return new Promise<never>(() => {});
  return message === "" ? reason : message;
}
