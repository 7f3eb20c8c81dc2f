// How far a GPU's clock is off the host's, from passes that host times enclose.

/** One pass, timed by the GPU, between two times of the host. */
export interface PassTimes {
  readonly hostBeforeMs: number;
  readonly gpuBeginMs: number;
  readonly gpuEndMs: number;
  readonly hostAfterMs: number;
}

const rounds = 8;

/**
 * ms to add to GPU times. Every pass began after `hostBeforeMs` and ended before `hostAfterMs`, so each
 * round leaves an interval of possible offsets; the answer is the middle of what all leave, or 0 where that
 * is possible: software adapters read the host's own clock.
 */
export async function findClockOffset(timePass: () => Promise<PassTimes>): Promise<number> {
  let least = -Infinity;
  let most = Infinity;
  for (let round = 0; round < rounds; round += 1) {
    const { hostBeforeMs, gpuBeginMs, gpuEndMs, hostAfterMs } = await timePass();
    least = Math.max(least, hostBeforeMs - gpuBeginMs);
    most = Math.min(most, hostAfterMs - gpuEndMs);
  }
  if (least <= 0 && most >= 0) return 0;
  return (least + most) / 2;
}
