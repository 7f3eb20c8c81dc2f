// Sums of gradients may grow beyond what f32 holds: an optimizer then skips the step, if it sees it.

import type { Deviation } from "../../reference/deviation.ts";

const largest = (2 - 2 ** -23) * 2 ** 127;

/** As `Deviation.add`, but what is not finite must be so, and may be where f32 ends. */
export function addOrOverflow(
  deviation: Deviation,
  actual: number,
  expected: number,
  accepted: number,
  row: number,
  column: number,
): void {
  if (!Number.isFinite(expected)) {
    if (Number.isFinite(actual)) deviation.same(actual, expected, row, column);
    return;
  }
  const isOverflow =
    Math.abs(actual) === Infinity &&
    actual * expected > 0 &&
    Math.abs(expected) + accepted > largest;
  if (!isOverflow) deviation.add(actual, expected, accepted, row, column);
}
