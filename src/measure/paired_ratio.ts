// How much longer one of two programs takes, from pairs of runs that took turns: what slows the machine slows both of a
// pair, so that their ratio scatters less than their times.

import { mean } from "./statistics.ts";
import { studentPoint } from "./student_t.ts";

export interface PairedRatio {
  /** Geometric mean of later ÷ earlier. */
  readonly ratio: number;
  /** 95 %, by Student's t of the logarithms; absent with fewer than 3 pairs. */
  readonly interval?: readonly [low: number, high: number];
  readonly pairs: number;
}

const leastPairs = 3;

/** @param pairs at least one, times above zero */
export function pairedRatio(
  pairs: readonly { readonly reference: number; readonly own: number }[],
): PairedRatio {
  const logarithms = pairs.map(({ reference, own }) => Math.log(own / reference));
  const center = mean(logarithms);
  const count = pairs.length;
  if (count < leastPairs) return { ratio: Math.exp(center), pairs: count };
  const squares = logarithms.reduce((sum, each) => sum + (each - center) ** 2, 0);
  const half = studentPoint(count - 1) * Math.sqrt(squares / (count - 1) / count);
  return {
    ratio: Math.exp(center),
    interval: [Math.exp(center - half), Math.exp(center + half)],
    pairs: count,
  };
}
