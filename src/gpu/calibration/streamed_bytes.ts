// How much a calibration of memory streams at a time.

const mebibyte = 2 ** 20;

/**
 * Beyond the caches of a hardware GPU, which keeps up to 50 MB close by; a software adapter loads so slowly that it
 * makes no difference to it.
 */
export function streamedBytes(isSoftware: boolean): number {
  return isSoftware ? 8 * mebibyte : 256 * mebibyte;
}
