// What an adapter reaches at best, as it was measured: the record that ranks send, and the cache keeps.

import { z } from "zod";

/** FLOPs per second of multiply-adds, each counted as two. */
const arithmeticNames = ["f32", "f16", "matrix"] as const;

/** Bytes per second, each byte counted once per reading and once per writing. */
const byteRateNames = [
  /** Kernels on storage buffers. */
  "read",
  "write",
  "copy",
  /** Kernels on memory that a workgroup shares: loads. */
  "workgroup",
  /** `copyBufferToBuffer`. */
  "bufferCopy",
  /** From host memory to the GPU, and back. */
  "upload",
  "readback",
] as const;

/** ms. */
const costNames = [
  /** On the GPU, of one more dispatch in a pass that awaits the one before. */
  "dispatch",
  /** On the host, of encoding it. */
  "encode",
  /** Of one more submission of a command buffer with a single dispatch. */
  "submit",
  /** From submitting a copy of 4 bytes to their being mapped. */
  "roundTrip",
] as const;

const ceiling = z.strictObject({
  /** The shader or call that was the fastest. */
  variant: z.string(),
  /** What each run of that variant reached, in order of time. */
  runs: z.array(z.number().positive()).min(1).readonly(),
  /** What the other variants reached at best, by their names. */
  others: z.record(z.string(), z.number().positive()).readonly(),
});

export const calibrationSchema = z.strictObject({
  version: z.literal(2),
  /** ISO 8601. */
  date: z.iso.datetime(),
  /** How long the calibration took. */
  tookMs: z.number().nonnegative(),
  /** Those that the adapter has: one without native f16 has no `f16`. */
  rates: z.partialRecord(z.enum([...arithmeticNames, ...byteRateNames]), ceiling).readonly(),
  costs: z.partialRecord(z.enum(costNames), ceiling).readonly(),
});

/** One figure and how it came about. */
export type CeilingRuns = Readonly<z.infer<typeof ceiling>>;
export type Calibration = Readonly<z.infer<typeof calibrationSchema>>;
export type CalibratedCost = (typeof costNames)[number];
