// What a rank holds, after whatever is garbage has been collected: for tests of whether anything grows.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes. */
export interface HeldMemory {
  /** Of buffers that live on the GPU. */
  readonly gpuBytes: number;
  /** Of what JavaScript still reaches, buffers outside its heap included. */
  readonly heapBytes: number;
  /** Of the process. */
  readonly residentBytes: number;
}

/** Collects garbage, which takes milliseconds. */
export function takeMemory(gpuBytes: number): HeldMemory {
  // Node has no other way to collect unless it was started for that.
  setFlagsFromString("--expose-gc");
  runInNewContext("gc()");
  const { heapUsed, external, rss } = process.memoryUsage();
  return { gpuBytes, heapBytes: heapUsed + external, residentBytes: rss };
}
