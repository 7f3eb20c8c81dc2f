// Result files that something went wrong with, with and without a digest that fits.

import type { RandomSource } from "../../src/seeded_random.ts";
import { seal } from "../../src/result/seal.ts";
import { belowOf, mutate, scribbled } from "./mutate.ts";

/** One to three faults in a file's text. */
export function mutatedResult(text: string, random: RandomSource): string {
  if (random() < 0.15) return scribbled(text, random);
  const { sha256, ...content } = JSON.parse(text) as Record<string, unknown>;
  const faults = 1 + belowOf(random)(3);
  for (let fault = 0; fault < faults; fault += 1) mutate(content, random);
  const written = random() < 0.85 ? seal(content) : { ...content, sha256 };
  // JSON knows numbers that no number of the language is.
  return random() < 0.05
    ? JSON.stringify(written).replace(/\d+\.\d+/, "1e999")
    : JSON.stringify(written);
}
