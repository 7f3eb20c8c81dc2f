// What training computes again rather than keeps, as the workload says it.

import { blocksOf } from "./blocks.ts";
import { pipelineOf } from "./pipeline.ts";
import type { Plan, Stage } from "./plan.ts";

/** What is computed again together. */
export interface RecomputedPart {
  /** Names of its layers, `<stage>/<index>.<op>`, all of one stage. */
  readonly layers: readonly string[];
  /** All of their ops, or attention alone. */
  readonly granularity: "full" | "selective";
}

/**
 * Selective: each attention. Full, as Megatron-LM divides blocks: by `uniform` runs of so many, of which the input is
 * kept; by `block` the first so many of each pipeline rank, one by one.
 */
export function recomputedParts(plan: Pick<Plan, "stages" | "workload">): RecomputedPart[] {
  const { recompute } = plan.workload;
  if (recompute === undefined) return [];
  const { granularity, method = "uniform", layers: count = 1 } = recompute;
  if (granularity === "selective") {
    return plan.stages.flatMap((stage) =>
      namesOf(stage, (op) => op === "attention").map((name) => ({ layers: [name], granularity })),
    );
  }
  const p = pipelineOf(plan)?.pipelineRanks.length ?? plan.stages.length;
  const blocks = blocksOf(plan);
  /** Blocks of a pipeline rank that are computed again already. */
  const taken = new Map<number, number>();
  return plan.stages.flatMap((stage, s) => {
    const own = blocksIn(stage, blocks);
    if (method === "uniform") {
      return runsOf(own, count).map((run) => ({ layers: run.flat(), granularity }));
    }
    const before = taken.get(s % p) ?? 0;
    taken.set(s % p, before + own.length);
    return own.slice(0, Math.max(0, count - before)).map((layers) => ({ layers, granularity }));
  });
}

function namesOf(
  { name, layers }: Stage,
  isWanted: (op: string) => boolean = () => true,
): string[] {
  return layers.flatMap((layer) => (isWanted(layer.op) ? [`${name}/${layer.name}`] : []));
}

/** Of blocks that begin or end in other stages, the layers in this one. */
function blocksIn(stage: Stage, blocks: readonly (readonly string[])[]): string[][] {
  const names = new Set(namesOf(stage));
  return blocks
    .map((layers) => layers.filter((layer) => names.has(layer)))
    .filter(({ length }) => length > 0);
}

function runsOf(blocks: readonly string[][], length: number): string[][][] {
  return Array.from({ length: Math.ceil(blocks.length / length) }, (_, i) =>
    blocks.slice(i * length, (i + 1) * length),
  );
}
