// What an adapter reaches at best, measured on it: the denominators of utilization.

import type { LogicalGpu } from "./logical_gpu.ts";
import { measurePeakFlops } from "./peak_flops.ts";
import { measureSubmitRoundTrip, measureTransfers } from "./transfer_rates.ts";

export interface Calibration {
  /** f32 multiply-adds per second, each counted as two. The best of several forms. */
  readonly peakFlops: number;
  /** Bytes per second that a kernel reads plus those that it writes. */
  readonly copyBandwidth: number;
  /** Bytes per second of `writeBuffer`, from host memory to the GPU. */
  readonly uploadBandwidth: number;
  /** Bytes per second from the GPU through a mapped buffer to host memory. */
  readonly readbackBandwidth: number;
  /** From submitting a copy of 4 bytes to their being mapped; median. */
  readonly submitRoundTripMs: number;
  /** Runs that each of the rates is the best of. */
  readonly samples: number;
  /** (slowest − fastest run) ÷ fastest run of the form that gave `peakFlops`. */
  readonly spread: number;
  /** How the figures came about, in a phrase. */
  readonly method: string;
}

const samples = 6;

/** Takes about a second on a software adapter. Throws `NumericsError` when a kernel computes wrong. */
export async function calibrate(gpu: LogicalGpu): Promise<Calibration> {
  const { peakFlops, spread, form } = await measurePeakFlops(gpu, samples);
  const transfers = await measureTransfers(gpu, samples);
  return {
    peakFlops,
    ...transfers,
    submitRoundTripMs: await measureSubmitRoundTrip(gpu),
    samples,
    spread,
    method: `best of ${samples} runs of f32 multiply-adds (${form}) and of a vec4 copy, results checked`,
  };
}
