// What a step's time went to, as parts of one whole: all ranks' wall time. The largest of them are what limits it.

import type { KernelMetrics, Metrics } from "./metrics.ts";
import type { RankMetrics } from "./metrics.ts";

export interface Limit {
  readonly what:
    | "idle"
    | "communication"
    | "host"
    | "below the roofline"
    | "at the roofline"
    | "kernels";
  /** Of the wall time of all ranks, 0 … 1. */
  readonly share: number;
  /** Of it, what has most: a rank, a layer or a kernel. */
  readonly most?: { readonly name: string; readonly share: number };
}

/**
 * Idle, communication while nothing is computed, host, and computing: what kernels would take at their bounds, and what
 * they took beyond; computing as a whole where bounds are not known. Largest first. What no span covers is left out.
 */
export function limitsOf({ ranks, kernels }: Pick<Metrics, "ranks" | "kernels">): Limit[] {
  if (ranks.length === 0) return [];
  const compute = meanOf(ranks, "compute");
  const limits: Limit[] = [
    ofRanks("idle", ranks, "idle"),
    ofRanks("communication", ranks, "communication"),
    ofRanks("host", ranks, "host"),
    ...ofKernels(compute, kernels),
  ];
  return limits.filter(({ share }) => share > 0).toSorted((a, b) => b.share - a.share);
}

type Part = "idle" | "communication" | "host" | "compute";

function meanOf(ranks: readonly RankMetrics[], part: Part): number {
  return ranks.reduce((sum, rank) => sum + rank[part].value, 0) / ranks.length;
}

function ofRanks(
  what: "idle" | "communication" | "host",
  ranks: readonly RankMetrics[],
  part: Part,
): Limit {
  const [most] = ranks.toSorted((a, b) => b[part].value - a[part].value);
  return {
    what,
    share: meanOf(ranks, part),
    ...(most === undefined ? {} : { most: { name: `rank ${most.rank}`, share: most[part].value } }),
  };
}

function ofKernels(compute: number, kernels: readonly KernelMetrics[]): Limit[] {
  const bounded = kernels.flatMap(({ bound, share, kernel, variant }) =>
    bound === undefined
      ? []
      : [
          {
            name: variant?.split(" ", 1)[0] ?? kernel,
            share: share.value,
            reached: Math.min(1, bound.reached.value),
          },
        ],
  );
  if (kernels.length === 0 || bounded.length < kernels.length)
    return [{ what: "kernels", share: compute }];
  const partOf = (
    what: "below the roofline" | "at the roofline",
    of: (reached: number) => number,
  ): Limit => {
    const parts = bounded
      .map(({ name, share, reached }) => ({ name, share: compute * share * of(reached) }))
      .toSorted((a, b) => b.share - a.share);
    const [most] = parts;
    return {
      what,
      share: parts.reduce((sum, { share }) => sum + share, 0),
      ...(most === undefined ? {} : { most }),
    };
  };
  return [
    partOf("below the roofline", (reached) => 1 - reached),
    partOf("at the roofline", (reached) => reached),
  ];
}
