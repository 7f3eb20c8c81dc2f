// What each call of the ranks' programs takes on the visitor's adapter, by the host's clock: browsers round the GPU's.

import { setImmediate } from "node:timers/promises";
import type { LogicalGpu, PreparedKernel } from "../gpu/logical_gpu.ts";
import type { TimedCall } from "../result/browser_times.ts";
import type { ProgramSession } from "../runtime/open_program.ts";
import { callKey } from "../tuning/keys.ts";

const samples = 5;
/** Of the shorter of two submissions: many steps of the coarsest of browsers' clocks, which is 1 ms. */
const leastMs = 20;
const mostRepeats = 2 ** 14;

interface Use {
  readonly session: ProgramSession;
  readonly index: number;
}

/**
 * Each call once, on the operands that the last step left.
 *
 * @param onCall told how many are done, of how many
 */
export async function timeCalls(
  gpu: LogicalGpu,
  sessions: readonly ProgramSession[],
  onCall: (done: number, all: number) => void,
): Promise<TimedCall[]> {
  const uses = new Map<string, Use>();
  const counts = new Map<string, number>();
  for (const session of sessions) {
    for (const [index, { kernel, shape, dtype }] of session.prepared().calls) {
      const key = callKey(kernel.name, shape, dtype);
      counts.set(key, (counts.get(key) ?? 0) + 1);
      if (!uses.has(key)) uses.set(key, { session, index });
    }
  }
  const timed: TimedCall[] = [];
  for (const [call, { session, index }] of uses) {
    onCall(timed.length, uses.size);
    await setImmediate();
    const { calls, kernels } = session.prepared();
    const [bound, prepared] = [calls.get(index), kernels.get(index)];
    if (bound === undefined || prepared === undefined) continue;
    const { kernel, shape, dtype } = bound;
    timed.push({
      call,
      kernel: kernel.name,
      dtype,
      variant: prepared.variant.name,
      uses: counts.get(call) ?? 0,
      flops: kernel.flops(shape),
      bytes: kernel.bytes(shape, dtype),
      ms: await timesOf(gpu, prepared),
    });
  }
  return timed;
}

/** ms of one dispatch among others: what a submission takes besides is in both of two times, and falls out. */
async function timesOf(gpu: LogicalGpu, prepared: PreparedKernel): Promise<number[]> {
  // The first may compile.
  await submitted(gpu, prepared, 1);
  let repeats = 1;
  let ms = await submitted(gpu, prepared, repeats);
  while (ms < leastMs && repeats < mostRepeats) {
    const growth = Math.min(16, Math.max(2, Math.ceil(leastMs / Math.max(ms, 0.1))));
    repeats = Math.min(mostRepeats, repeats * growth);
    ms = await submitted(gpu, prepared, repeats);
  }
  const found: number[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    const short = await submitted(gpu, prepared, repeats);
    const long = await submitted(gpu, prepared, 3 * repeats);
    const own = (long - short) / (2 * repeats);
    // Other load in the shorter of the two: then the longer one bounds it.
    found.push(own > 0 ? own : long / (3 * repeats));
  }
  return found;
}

async function submitted(
  gpu: LogicalGpu,
  prepared: PreparedKernel,
  repeats: number,
): Promise<number> {
  const { device } = gpu;
  const encoder = device.createCommandEncoder({ label: prepared.label });
  const pass = encoder.beginComputePass({ label: prepared.label });
  for (let repeat = 0; repeat < repeats; repeat += 1) prepared.encode(pass);
  pass.end();
  const commands = encoder.finish();
  const before = performance.now();
  device.queue.submit([commands]);
  await device.queue.onSubmittedWorkDone();
  const ms = performance.now() - before;
  gpu.check();
  return ms;
}
