// The order in which samples are taken: all of them once in each epoch, shuffled anew.

import { seededRandom } from "../seeded_random.ts";
import { shuffled } from "../shuffled.ts";

/** Of the n-th sample taken since the first step. */
export type SampleOrder = (taken: number) => number;

/** @param samples in the set */
export function shuffledOrder(samples: number, seed: number): SampleOrder {
  let current: { readonly epoch: number; readonly order: Uint32Array } | undefined;
  return (taken) => {
    const epoch = Math.floor(taken / samples);
    if (current?.epoch !== epoch) {
      const random = seededRandom(seed * 1_000_003 + epoch);
      current = { epoch, order: shuffled(samples, random) };
    }
    return current.order[taken % samples] ?? 0;
  };
}
