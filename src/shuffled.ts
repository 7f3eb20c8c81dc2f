// Fisher and Yates' shuffle.

import type { RandomSource } from "./seeded_random.ts";

/** 0 … length − 1, each order as likely as any other. */
export function shuffled(length: number, random: RandomSource): Uint32Array {
  const order = Uint32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
  return order;
}
