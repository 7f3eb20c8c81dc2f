// Stored numbers as the host computes with them, without keeping the event loop for long.

import { fromHalf } from "../../kernels/half.ts";
import type { StorageType } from "../../kernels/storage.ts";

/** Lets signals, messages and heartbeats in. */
export type CheckPause = () => Promise<void>;

/** To be told of every bit of work; pauses now and then. */
export type Pace = (elements: number) => Promise<void>;

/** About 10 ms of multiply-adds. */
const elementsBetweenPauses = 2 ** 22;

export function createPace(pause: CheckPause): Pace {
  let done = 0;
  return async (elements) => {
    done += elements;
    if (done < elementsBetweenPauses) return;
    done = 0;
    await pause();
  };
}

/** Every half is exact in f32. Singles are seen where they lie, in memory of their own. */
export async function decodeStorage(
  bytes: Uint8Array<ArrayBuffer>,
  dtype: StorageType,
  pace: Pace,
): Promise<Float32Array> {
  if (dtype === "f32") return new Float32Array(bytes.buffer);
  const halves = new Uint16Array(bytes.buffer);
  const values = new Float32Array(halves.length);
  const block = 2 ** 20;
  for (let start = 0; start < halves.length; start += block) {
    const end = Math.min(halves.length, start + block);
    for (let i = start; i < end; i++) values[i] = valueOfHalf[halves[i] ?? 0] ?? 0;
    await pace(end - start);
  }
  return values;
}

/** By bits: looking up is several times as fast as taking them apart. */
const valueOfHalf = Float32Array.from({ length: 2 ** 16 }, (_, half) => fromHalf(half));
