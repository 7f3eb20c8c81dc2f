// Runs a kernel of the program once more, into memory of its own, to see what it writes.

import { EnvironmentError } from "../../environment_error.ts";
import type { LogicalGpu } from "../../gpu/logical_gpu.ts";
import { readBuffer } from "../../gpu/read_back.ts";
import { kernelOf } from "../../kernels/catalog.ts";
import type { KernelInstruction } from "../../program/program.ts";
import type { PreparedProgram } from "../prepare.ts";

/** Bytes that the last of its buffers would hold; undefined where the GPU has no memory for them. */
export async function computeAgain(
  gpu: LogicalGpu,
  prepared: PreparedProgram,
  instruction: KernelInstruction,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { buffers, dtype, origin } = instruction;
  const { bytes } = prepared.declaration(buffers.at(-1) ?? "");
  const label = `rank ${prepared.program.rank} ${origin.layer} again`;
  const scratch = await roomFor(gpu, label, bytes);
  if (scratch === undefined) return undefined;
  try {
    const kernel = kernelOf(instruction);
    const bound = [...buffers.slice(0, -1).map(prepared.region), scratch];
    const again = await gpu.prepare(kernel, instruction.shape, dtype, bound, label);
    const encoder = gpu.device.createCommandEncoder({ label });
    const pass = encoder.beginComputePass({ label });
    again.encode(pass);
    pass.end();
    gpu.device.queue.submit([encoder.finish()]);
    return new Uint8Array(await readBuffer(gpu, scratch, bytes));
  } finally {
    gpu.destroyBuffer(scratch);
  }
}

async function roomFor(
  gpu: LogicalGpu,
  label: string,
  bytes: number,
): Promise<GPUBuffer | undefined> {
  try {
    return await gpu.createBuffer(label, bytes, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC);
  } catch (error) {
    if (error instanceof EnvironmentError && error.code === "out-of-memory") return undefined;
    throw error;
  }
}
