// Whether two steps of a program show the same.

import type { ObservedBuffer } from "../runtime/observation.ts";

/** Buffer by buffer, to the last bit. */
export function hasSameBits(
  left: readonly ObservedBuffer[],
  right: readonly ObservedBuffer[],
): boolean {
  return (
    left.length === right.length &&
    left.every(({ layer, microBatch, bytes }, i) => {
      const other = right[i];
      return (
        other !== undefined &&
        layer === other.layer &&
        microBatch === other.microBatch &&
        Buffer.compare(bytes, other.bytes) === 0
      );
    })
  );
}
