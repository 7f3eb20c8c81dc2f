// Tries variants of one call on one GPU: compiled, checked against the kernel's own shader, timed in turn.

import { EnvironmentError } from "../environment_error.ts";
import type { LogicalGpu, PreparedKernel } from "../gpu/logical_gpu.ts";
import { messageOf } from "../gpu/message_of.ts";
import { timeKernel } from "../gpu/time_kernel.ts";
import type { Timestamps } from "../gpu/timestamps.ts";
import { median } from "../measure/statistics.ts";
import type { Variant } from "../kernels/variant.ts";
import { decide } from "./decide.ts";
import { callKey, type CallVariants, classKey } from "./keys.ts";
import { type BoundCall, createTuningScratch, type TuningScratch } from "./scratch.ts";
import type { Trials } from "./trials.ts";
import type { TriedVariant, TunedCall } from "./tuned_call.ts";

export interface TuningClock {
  readonly timestamps: Timestamps | undefined;
  /** Whether no further variant is to be begun. */
  readonly isOver: () => boolean;
  /** Called whenever something was done: to show that it goes on. */
  readonly onProgress: () => void;
}

const rounds = 7;
// Long enough for the clock and for what a dispatch costs.
const sampleMs = 2;
const mostRepeats = 64;
// A variant that is this much slower than another at first is not timed any further.
const hopeless = 1.5;

interface Runnable {
  readonly key: string;
  readonly prepared: PreparedKernel;
  /** The better of two runs after the first, in which some drivers compile. */
  readonly onceMs: number;
}

/**
 * @param before what was found out of this call earlier, and is not tried again
 * @returns undefined where there is nothing to hold the variants against: the kernel's own shader writes nothing,
 *   or memory is short
 */
export async function tuneCall<Shape extends object>(
  gpu: LogicalGpu,
  call: BoundCall<Shape>,
  variants: CallVariants["variants"],
  trials: Trials,
  before: TunedCall | undefined,
  clock: TuningClock,
): Promise<TunedCall | undefined> {
  const scratch = await roomFor(gpu, call);
  if (scratch === undefined) return undefined;
  try {
    const [own] = variants;
    if (!(await scratch.learn(await scratch.prepare(own.variant)))) return undefined;
    clock.onProgress();
    const tried = new Map(before?.tried.map((one) => [one.variant, one]));
    const right: Runnable[] = [];
    let [left, wrong] = [0, 0];
    for (const [index, { key, variant }] of trials.variants.entries()) {
      if (index >= trials.rivals && clock.isOver()) {
        left += 1;
        continue;
      }
      const prepared = await prepareRight(scratch, variant, variant === own.variant);
      clock.onProgress();
      if (typeof prepared === "string") {
        tried.set(key, { variant: key, excluded: prepared });
        wrong += 1;
      } else {
        const once = async () => timeKernel(gpu, prepared, clock.timestamps);
        right.push({ key, prepared, onceMs: Math.min(await once(), await once()) });
      }
    }
    const { chosen, timed } = await race(gpu, right, clock);
    for (const one of timed) tried.set(one.variant, one);
    return {
      call: callKey(call.kernel.name, call.shape, call.dtype),
      class: classKey(call.kernel.name, call.shape, call.dtype),
      chosen: chosen ?? own.key,
      variants: variants.length,
      complete: left === 0 && !(trials.partial && wrong > 0),
      tried: [...tried.values()],
    };
  } finally {
    scratch.destroy();
  }
}

async function roomFor<Shape extends object>(
  gpu: LogicalGpu,
  call: BoundCall<Shape>,
): Promise<TuningScratch | undefined> {
  try {
    return await createTuningScratch(gpu, call);
  } catch (error) {
    if (error instanceof EnvironmentError && error.code === "out-of-memory") return undefined;
    throw error;
  }
}

/** Why it is excluded, where it does not compile or computes something else. */
async function prepareRight(
  scratch: TuningScratch,
  variant: Variant,
  isOwn: boolean,
): Promise<PreparedKernel | string> {
  let prepared: PreparedKernel;
  try {
    prepared = await scratch.prepare(variant);
  } catch (error) {
    return `does not compile: ${messageOf(error)}`;
  }
  return (isOwn ? undefined : await scratch.compare(prepared)) ?? prepared;
}

/** Runs them in turn, the first against all others. */
async function race(
  gpu: LogicalGpu,
  runnable: readonly Runnable[],
  clock: TuningClock,
): Promise<{ readonly chosen?: string; readonly timed: readonly TriedVariant[] }> {
  const [first] = runnable;
  if (first === undefined) return { timed: [] };
  const fastest = Math.min(...runnable.map(({ onceMs }) => onceMs));
  const isInTheRace = (one: Runnable): boolean => one === first || one.onceMs <= hopeless * fastest;
  const racing = runnable.filter(isInTheRace).map(({ key, prepared, onceMs }) => {
    const repeats = Math.max(1, Math.min(mostRepeats, Math.ceil(sampleMs / onceMs)));
    return { variant: key, repeated: repeatedly(prepared, repeats), repeats, ms: [] as number[] };
  });
  for (let round = 0; round < rounds; round += 1) {
    for (const { repeated, repeats, ms } of racing) {
      ms.push((await timeKernel(gpu, repeated, clock.timestamps)) / repeats);
      clock.onProgress();
    }
  }
  const { chosen, speedups } = decide(racing);
  return {
    chosen,
    timed: [
      ...racing.map(({ variant, ms }, index) => ({
        variant,
        ms: median(ms),
        speedup: speedups[index] ?? 1,
      })),
      ...runnable
        .filter((one) => !isInTheRace(one))
        .map(({ key, onceMs }) => ({ variant: key, ms: onceMs, speedup: first.onceMs / onceMs })),
    ],
  };
}

function repeatedly(prepared: PreparedKernel, repeats: number): PreparedKernel {
  return {
    ...prepared,
    encode(pass) {
      for (let index = 0; index < repeats; index += 1) prepared.encode(pass);
    },
  };
}
