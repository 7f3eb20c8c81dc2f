// Plans whose stages are written out: who runs which layers, in how many micro-batches, and whether communication
// overlaps. Layers keep their kind of split. GPUs of a layer are consecutive, and layers of a stage that share theirs move
// together; communications between stages follow.

import { isGrouped, type ParallelFile } from "../plan/layers/parallel.ts";
import { normalise } from "../plan/normalise.ts";
import type { Plan } from "../plan/plan.ts";
import type { PlanFile } from "../plan/schema.ts";
import type { Peaks } from "../program/bound.ts";
import { estimatePlan } from "../program/estimate.ts";
import { valueBytes } from "../program/key_value_cache.ts";
import { fullestNeed } from "../program/memory.ts";
import { layerCosts, type LayerCost } from "../program/simulate/layer_costs.ts";
import type { Overheads } from "../program/simulate/hardware_cost.ts";
import { simulateHardware } from "../program/simulate/simulate_hardware.ts";
import { unshard } from "../program/unshard.ts";
import type { Bounds, Prediction, Space } from "./candidate.ts";
import { divisors } from "../plan/divisors.ts";

type StageFile = NonNullable<PlanFile["stages"]>[number];
type CommunicationFile = NonNullable<PlanFile["communications"]>[number];

/** Beyond it, only two sites move at once; and beyond that, one. */
const mostLayouts = 2000;
const overlap = "communication-overlap";

export function stageSpace(file: PlanFile, plan: Plan, peaks: Peaks, overheads: Overheads): Space {
  const costs = [
    ...layerCosts(unshard(plan), { flops: 1 }, { latencyMs: 0, launchMs: 0 }).values(),
  ];
  const own = JSON.stringify(file);
  return {
    files: layouts(file)
      .flatMap((each) => workloads(each))
      .filter((each) => JSON.stringify(each) !== own),
    boundsOf: (each) => boundsOf(each, plan, costs, peaks),
    predict: (each, candidate) => predict(each, candidate, peaks, overheads),
  };
}

/** Layers of one stage on the same GPUs. */
interface Site {
  readonly stage: number;
  readonly gpus: string;
}

function sitesOf({ stages = [] }: PlanFile): Site[] {
  const sites = stages.flatMap(({ layers }, stage) =>
    layers.flatMap(({ parallel }) =>
      parallel !== undefined && mayMove(parallel) ? [{ stage, gpus: parallel.gpus.join() }] : [],
    ),
  );
  return [...new Map(sites.map((site) => [`${site.stage} ${site.gpus}`, site])).values()];
}

function mayMove({ kind, gpus, replicas = 1, tokenGpus }: ParallelFile): boolean {
  if (isGrouped(gpus) || tokenGpus !== undefined) return false;
  return kind === "data" ? replicas === 1 && gpus.length === 1 : kind !== "expert";
}

function layouts(file: PlanFile): PlanFile[] {
  const sites = sitesOf(file);
  const places = runsOf(file.hardware.gpus);
  const most =
    places.length ** sites.length <= mostLayouts
      ? sites.length
      : (places.length * sites.length) ** 2 <= mostLayouts
        ? 2
        : 1;
  const found: PlanFile[] = [];
  const choose = (at: number, chosen: ReadonlyMap<Site, readonly number[]>): void => {
    const site = sites[at];
    if (site === undefined) {
      found.push(placed(file, chosen));
      return;
    }
    choose(at + 1, chosen);
    if (chosen.size === most) return;
    for (const gpus of places) {
      if (gpus.join() !== site.gpus) choose(at + 1, new Map([...chosen, [site, gpus]]));
    }
  };
  choose(0, new Map());
  return distinctLayouts(found);
}

/** GPUs are alike: of layouts that only number them otherwise the first. */
function distinctLayouts(files: readonly PlanFile[]): PlanFile[] {
  const found = new Map<string, PlanFile>();
  for (const file of files) {
    const numbers = new Map<number, number>();
    const groups = (file.stages ?? []).flatMap(({ layers }) =>
      layers.map(({ parallel }) =>
        (parallel?.gpus ?? []).flat().map((gpu) => {
          const number = numbers.get(gpu) ?? numbers.size;
          numbers.set(gpu, number);
          return number;
        }),
      ),
    );
    const key = JSON.stringify(groups);
    if (!found.has(key)) found.set(key, file);
  }
  return [...found.values()];
}

/** Consecutive GPUs, of every number. */
function runsOf(gpus: number): number[][] {
  return Array.from({ length: gpus }, (_, first) =>
    Array.from({ length: gpus - first }, (_unused, size) =>
      Array.from({ length: size + 1 }, (_gpu, i) => first + i),
    ),
  ).flat();
}

function placed(file: PlanFile, chosen: ReadonlyMap<Site, readonly number[]>): PlanFile {
  if (chosen.size === 0) return file;
  const targets = new Map([...chosen].map(([site, gpus]) => [`${site.stage} ${site.gpus}`, gpus]));
  const stages = (file.stages ?? []).map((stage, s): StageFile => ({
    ...stage,
    layers: stage.layers.map((layer) => {
      const { parallel } = layer;
      if (parallel === undefined || !mayMove(parallel)) return layer;
      const gpus = targets.get(`${s} ${parallel.gpus.join()}`);
      if (gpus === undefined) return layer;
      const { degree, ...rest } = parallel;
      const own = {
        ...rest,
        gpus: [...gpus],
        ...(degree === undefined ? {} : { degree: gpus.length }),
      };
      return { ...layer, parallel: own };
    }),
  }));
  const communications = file.communications?.flatMap((each, i) => moved(each, i, stages));
  return { ...file, stages, ...(communications === undefined ? {} : { communications }) };
}

/** None where the next stage has the result already. */
function moved(
  communication: CommunicationFile,
  index: number,
  stages: readonly StageFile[],
): CommunicationFile[] {
  const named = stages.findIndex(({ name }) => name === communication.after);
  const after = communication.after === undefined ? index : named;
  const from = gpusOf(stages[after]?.layers.at(-1));
  const to = gpusOf(stages[after + 1]?.layers[0]);
  if (from === undefined || to === undefined) return [communication];
  if (from.length === 1 && to.join() === from.join()) return [];
  const op =
    from.length > 1
      ? communication.op
      : to.length === 1
        ? ("send" as const)
        : ("broadcast" as const);
  // Where the one before is left out, its number no longer tells which stages it is between.
  return [{ ...communication, op, from: [...from], to: [...to], after: stages[after]?.name ?? "" }];
}

function gpusOf(layer: StageFile["layers"][number] | undefined): readonly number[] | undefined {
  const gpus = layer?.parallel?.gpus;
  return gpus === undefined || isGrouped(gpus) ? undefined : gpus;
}

function workloads(file: PlanFile): PlanFile[] {
  const { workload, optimizations = [] } = file;
  const others = optimizations.filter((name) => name !== overlap);
  const overlaps = optimizations.includes(overlap)
    ? [optimizations, others]
    : [optimizations, [...others, overlap]];
  return divisors(workload.batch).flatMap((microBatches) =>
    overlaps.map((names): PlanFile => {
      const { optimizations: _, ...rest } = file;
      return {
        ...rest,
        workload: { ...workload, microBatches },
        ...(names.length === 0 ? {} : { optimizations: names }),
      };
    }),
  );
}

/** No GPU is faster than its part of the layers' arithmetic, evenly divided over their GPUs. */
function boundsOf(file: PlanFile, plan: Plan, costs: readonly LayerCost[], peaks: Peaks): Bounds {
  const { microBatches = 1 } = file.workload;
  const load = new Map<number, number>();
  const held = new Map<number, number>();
  let latencyMs = 0;
  let before: ParallelFile["gpus"] = [0];
  const layers = (file.stages ?? []).flatMap((stage) => stage.layers);
  for (const [i, { parallel }] of layers.entries()) {
    const cost = costs[i];
    before = parallel?.gpus ?? before;
    const gpus = before.flat();
    if (cost === undefined) continue;
    const ms = (1000 * cost.flops * plan.workload.microBatches) / (gpus.length * peaks.flops);
    latencyMs += ms / microBatches;
    for (const gpu of gpus) {
      load.set(gpu, (load.get(gpu) ?? 0) + ms);
      held.set(gpu, (held.get(gpu) ?? 0) + (cost.others + cost.experts) / gpus.length);
    }
  }
  const times = { stepMs: Math.max(latencyMs, ...load.values()), latencyMs };
  return {
    memoryBytes: valueBytes(plan) * Math.max(0, ...held.values()),
    balance: times,
    wire: times,
  };
}

function predict(file: PlanFile, plan: Plan, peaks: Peaks, overheads: Overheads): Prediction {
  const simulated = (each: Plan) =>
    simulateHardware(each, peaks, overheads.latencyMs, overheads.launchMs);
  const { stepMs, ranks } = simulated(plan);
  const { batch, microBatches = 1 } = file.workload;
  const alone = normalise({
    ...file,
    workload: { ...file.workload, batch: batch / microBatches, microBatches: 1 },
  }).plan;
  const estimate = estimatePlan(plan);
  const received = Math.max(...estimate.ranks.map(({ receivedBytes }) => receivedBytes));
  return {
    stepMs,
    latencyMs: alone === undefined ? stepMs : simulated(alone).stepMs,
    memoryBytes: fullestNeed(estimate.memory).total,
    kernelMs: Math.max(...ranks.map(({ computeMs }) => computeMs)),
    wireMs: peaks.linkBandwidth === undefined ? 0 : (1000 * received) / peaks.linkBandwidth,
  };
}
