// Wall time of a step and what follows from it.

import type { Program } from "../program/program.ts";
import type { Figure } from "./figure.ts";
import { byRun, figureOf, type Conditions } from "./figures.ts";
import type { StepSample } from "./sample.ts";

export interface Throughput {
  readonly stepMs?: Figure;
  readonly samplesPerSecond?: Figure;
  /** Absent where a sample is a plain vector. */
  readonly tokensPerSecond?: Figure;
}

/** Of the whole plan, not per GPU. */
export function throughput(
  { batch, tokens }: Pick<Program, "batch" | "tokens">,
  samples: readonly StepSample[],
  conditions: Conditions,
): Throughput {
  const wall = byRun(samples, ({ wallMs }) => wallMs);
  const rates = (count: number) => byRun(samples, ({ wallMs }) => (count * 1000) / wallMs);
  const stepMs = figureOf(wall, "ms", conditions);
  const samplesPerSecond = figureOf(rates(batch), "samples/s", conditions);
  const tokensPerSecond =
    tokens === batch ? undefined : figureOf(rates(tokens), "tokens/s", conditions);
  return {
    ...(stepMs === undefined ? {} : { stepMs }),
    ...(samplesPerSecond === undefined ? {} : { samplesPerSecond }),
    ...(tokensPerSecond === undefined ? {} : { tokensPerSecond }),
  };
}
