// Where the time of each rank went, over all samples.

import { byRun, figureOf, type Conditions } from "./figures.ts";
import type { Figure, Unit } from "./figure.ts";
import type { RankMetrics } from "./metrics.ts";
import type { RankSample, StepSample } from "./sample.ts";
import { mean } from "./statistics.ts";

function communicationMs({ readbackMs, moveMs, reduceMs, uploadMs }: RankSample): number {
  return readbackMs + moveMs + reduceMs + uploadMs;
}

/** One entry per rank of the samples; none without samples. */
export function rankMetrics(samples: readonly StepSample[], conditions: Conditions): RankMetrics[] {
  return (samples[0]?.ranks ?? []).map(({ rank }) => metricsOfRank(rank, samples, conditions));
}

function metricsOfRank(
  rank: number,
  samples: readonly StepSample[],
  conditions: Conditions,
): RankMetrics {
  const own = samples.flatMap(({ run, wallMs, ranks }) => {
    const sample = ranks.find((each) => each.rank === rank);
    return sample === undefined ? [] : [{ run, wallMs, sample }];
  });
  // The parts of a whole must sum to it, which medians of each part do not: these are means.
  const share = (ms: (sample: RankSample) => number): Figure =>
    meanFigure(
      own.map(({ wallMs, sample }) => ms(sample) / wallMs),
      "share",
      conditions,
    );
  const communicating = own.filter(({ sample }) => sample.communicatingMs > 0);
  const overlap = figureOf(
    byRun(communicating, ({ sample }) => sample.overlappedMs / sample.communicatingMs),
    "share",
    conditions,
  );
  return {
    rank,
    compute: share(({ computeMs }) => computeMs),
    communication: share(communicationMs),
    readback: share(({ readbackMs }) => readbackMs),
    move: share(({ moveMs }) => moveMs),
    reduce: share(({ reduceMs }) => reduceMs),
    upload: share(({ uploadMs }) => uploadMs),
    host: share(({ hostMs }) => hostMs),
    idle: share(({ idleMs }) => idleMs),
    unattributed: share(({ unattributedMs }) => unattributedMs),
    busy: share(({ busyMs }) => busyMs),
    ...(overlap === undefined ? {} : { overlap }),
  };
}

function meanFigure(
  values: readonly number[],
  unit: Unit,
  { provenance, conditions }: Conditions,
): Figure {
  return {
    value: mean(values),
    unit,
    samples: values.length,
    provenance,
    conditions: [...conditions, "mean over steps"],
  };
}
