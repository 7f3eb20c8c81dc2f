// Long work on the host that lets signals in: it stops between its slices, and whoever runs it goes on when others have
// had their turn.

import { setImmediate } from "node:timers/promises";

export type InSlices<Result> = Generator<undefined, Result, undefined>;

export function atOnce<Result>(work: InSlices<Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/** @param onSlice called after each */
export async function inTurns<Result>(
  work: InSlices<Result>,
  onSlice: () => void = () => undefined,
): Promise<Result> {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    onSlice();
    await setImmediate();
  }
}
