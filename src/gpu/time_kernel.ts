// Times one dispatch by itself.

import type { LogicalGpu, PreparedKernel } from "./logical_gpu.ts";
import { awaitGpu } from "./patience.ts";
import { hostMs, type Timestamps } from "./timestamps.ts";

/** ms on the GPU's clock, or on the host's from submission to completion where there is no other. */
export async function timeKernel(
  gpu: LogicalGpu,
  kernel: PreparedKernel,
  timestamps: Timestamps | undefined,
): Promise<number> {
  const encoder = gpu.device.createCommandEncoder({ label: kernel.label });
  const pass = encoder.beginComputePass({ label: kernel.label, ...timestamps?.passDescriptor(0) });
  kernel.encode(pass);
  pass.end();
  const commands = encoder.finish();
  const before = hostMs();
  gpu.device.queue.submit([commands]);
  await awaitGpu(gpu, gpu.device.queue.onSubmittedWorkDone());
  const hostTime = hostMs() - before;
  gpu.check();
  if (timestamps === undefined) return hostTime;
  const [begin = 0, end = 0] = await timestamps.read(1);
  // A dispatch shorter than one step of the GPU's clock reads as 0.
  return end > begin ? end - begin : hostTime;
}
