// How the tokens of a plan that serves come out of its logits.

import { z } from "zod";
import { count } from "./schema_numbers.ts";

export interface Sampling {
  /** What logits are divided by; 0 takes the largest. */
  readonly temperature: number;
  /** Only the largest logits are drawn from. Absent where the temperature is 0. */
  readonly topK?: number;
  /** Of these the fewest that have so much of the probability together. */
  readonly topP: number;
  readonly seed: number;
}

/** Kernels find them one after the other. */
export const mostCandidates = 256;

export const samplingFile = z.strictObject({
  temperature: z.number().nonnegative().max(100).exactOptional(),
  topK: count.max(mostCandidates).exactOptional(),
  topP: z.number().positive().max(1).exactOptional(),
  seed: z.int().nonnegative().max(0xffffffff).exactOptional(),
});

/** Greedy where nothing is said; who limits what may be drawn draws, at the temperature of the logits as they are. */
export function samplingOf(file: z.infer<typeof samplingFile>): Sampling {
  const { topK = 1, topP = 1 } = file;
  const draws = topK > 1 || topP < 1;
  return { temperature: draws ? 1 : 0, topP, seed: 0, ...file };
}

/** Logits of a row that its token is picked from. */
export function candidatesOf({ temperature, topK = 1 }: Sampling): number {
  return temperature === 0 ? 1 : topK;
}
