// Where sums come about: by hosts, or by kernels on GPUs.

import { algorithmOf } from "../../program/exchange/all_reduce/algorithms.ts";
import { isAllReduce } from "../../program/exchange/sums.ts";
import type { Collective } from "../../program/program.ts";

/**
 * Whether a rank adds its slice on its host, see `sumSlices`; each decides by itself, for the messages are the same as
 * where kernels add.
 */
export function sumsSlices(collective: Collective, rank: number, isSoftware: boolean): boolean {
  return (
    isSoftware &&
    isAllReduce(collective) &&
    collective.dtype === "f32" &&
    algorithmOf(collective).hostSum === "slices" &&
    collective.from.includes(rank)
  );
}
