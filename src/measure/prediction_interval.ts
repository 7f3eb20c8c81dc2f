// Where one further ratio is to be expected, from those that were found: what a projection is calibrated with.

import { mean } from "./statistics.ts";
import { studentPoint } from "./student_t.ts";

export interface PredictedRatio {
  /** Geometric mean. */
  readonly center: number;
  /** 95 % for one more of them, by Student's t of the logarithms. */
  readonly interval: readonly [low: number, high: number];
}

export const leastRatios = 3;

/** Undefined of fewer than three. @param ratios above zero */
export function predictionInterval(ratios: readonly number[]): PredictedRatio | undefined {
  const count = ratios.length;
  if (count < leastRatios) return undefined;
  const logarithms = ratios.map(Math.log);
  const center = mean(logarithms);
  const squares = logarithms.reduce((sum, each) => sum + (each - center) ** 2, 0);
  const half = studentPoint(count - 1) * Math.sqrt((squares / (count - 1)) * (1 + 1 / count));
  return {
    center: Math.exp(center),
    interval: [Math.exp(center - half), Math.exp(center + half)],
  };
}
