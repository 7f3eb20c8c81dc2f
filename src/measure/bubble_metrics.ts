// The bubble over all steps: means, as only those sum.

import type { BubbleSample } from "./bubble.ts";
import type { Figure } from "./figure.ts";
import type { Conditions } from "./figures.ts";
import { mean } from "./statistics.ts";

/** Shares of ranks × wall time; schedule + imbalance + communication + host + unexplained = measured. */
export type BubbleMetrics = { readonly [Part in keyof BubbleSample]: Figure };

/** Absent where no step has one. */
export function bubbleMetrics(
  samples: readonly { readonly bubble?: BubbleSample }[],
  { provenance, conditions }: Conditions,
): BubbleMetrics | undefined {
  const bubbles = samples.flatMap(({ bubble }) => bubble ?? []);
  if (bubbles.length === 0) return undefined;
  const partOf = (part: keyof BubbleSample): Figure => ({
    value: mean(bubbles.map((bubble) => bubble[part])),
    unit: "share",
    samples: bubbles.length,
    provenance: part === "schedule" ? "estimated" : provenance,
    conditions: [...conditions, "mean over steps, of all ranks' time"],
  });
  return {
    measured: partOf("measured"),
    schedule: partOf("schedule"),
    imbalance: partOf("imbalance"),
    communication: partOf("communication"),
    host: partOf("host"),
    unexplained: partOf("unexplained"),
  };
}
