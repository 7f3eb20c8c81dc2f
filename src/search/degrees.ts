// Every way to spread a model over GPUs by degrees: tensor, pipeline, data and expert parallelism, layers of each stage,
// micro-batches, schedules, virtual stages, recomputation, and communication that overlaps.
//
// Every GPU has work. Parts of the batch are equal: whole samples for each replica and micro-batch. The model, the batch
// and the optimizer stay what they are, and so does what a step computes. Context parallelism is not
// proposed.

import { divisors } from "../plan/divisors.ts";
import { tensorDegreeFits } from "../plan/mesh.ts";
import type { Model } from "../plan/plan.ts";
import type { PlanFile } from "../plan/schema.ts";
import { degreesOf, modelOf } from "../plan/stages_from_degrees.ts";

type Parallel = NonNullable<PlanFile["parallel"]>;
type Workload = PlanFile["workload"];

const overlap = "communication-overlap";
const mostVirtualStages = 8;

/** @param balanced layers of each stage, as even as their work allows */
export function filesByDegrees(
  file: PlanFile,
  gpus: number,
  balanced: (pipeline: number) => readonly number[] | undefined,
): PlanFile[] {
  if (file.model === undefined) return [];
  const model = modelOf(file.model);
  return meshes(file, model, gpus).flatMap((mesh) =>
    splitsOfStages(mesh, model, balanced).flatMap((parallel) =>
      workloads(file, mesh).flatMap((workload) =>
        overlaps(file).map((optimizations): PlanFile => {
          const { tensor_parallel_distribution: _, optimizations: _own, ...rest } = file;
          return {
            ...rest,
            hardware: { ...file.hardware, gpus },
            workload,
            parallel,
            ...(optimizations.length === 0 ? {} : { optimizations }),
          };
        }),
      ),
    ),
  );
}

interface Mesh {
  readonly tensor: number;
  readonly pipeline: number;
  readonly data: number;
  readonly parallel: Parallel;
}

function meshes(file: PlanFile, model: Model, gpus: number): Mesh[] {
  const all = divisors(gpus).flatMap((tensor) =>
    tensorDegreeFits(model, tensor)
      ? divisors(gpus / tensor)
          .filter((pipeline) => pipeline <= model.layers)
          .flatMap((pipeline) => {
            const data = gpus / (tensor * pipeline);
            const places = expertDegrees(model, tensor * data);
            return places.map((expert) => meshOf(file, { tensor, pipeline, data, expert }));
          })
      : [],
  );
  return [...all, ...expertsOnAllGpus(file, model, gpus)];
}

function meshOf(
  file: PlanFile,
  degrees: Pick<Mesh, "tensor" | "pipeline" | "data"> & { readonly expert: number },
): Mesh {
  const { sequence, zero, vocabularyMultiple } = file.parallel ?? {};
  const { tensor, pipeline, data } = degrees;
  return {
    tensor,
    pipeline,
    data,
    parallel: {
      ...degrees,
      ...(sequence === true && tensor > 1 ? { sequence } : {}),
      ...(zero !== undefined && data > 1 ? { zero } : {}),
      ...(vocabularyMultiple === undefined ? {} : { vocabularyMultiple }),
    },
  };
}

/** Attention and dense layers on some GPUs, experts on all: the form that names its expert group. */
function expertsOnAllGpus(file: PlanFile, { moe, ...model }: Model, gpus: number): Mesh[] {
  if (moe === undefined || gpus > moe.experts) return [];
  return Array.from({ length: gpus - 1 }, (_, i) => i + 1)
    .filter((tensor) => tensorDegreeFits(model, tensor))
    .map((tensor) => {
      const mesh = meshOf(file, { tensor, pipeline: 1, data: 1, expert: gpus });
      const expertGroup = Array.from({ length: gpus }, (_, gpu) => gpu);
      return { ...mesh, parallel: { ...mesh.parallel, expertGroup } };
    });
}

function expertDegrees({ moe }: Model, ranks: number): number[] {
  if (moe === undefined) return [1];
  return divisors(ranks).filter((expert) => expert <= moe.experts);
}

/** Even stages, those that even out the work where they are others, and chunks of them interleaved. */
function splitsOfStages(
  { pipeline, parallel }: Mesh,
  { layers }: Model,
  balanced: (pipeline: number) => readonly number[] | undefined,
): Parallel[] {
  if (pipeline === 1) return [parallel];
  const own = balanced(pipeline);
  const uneven = own !== undefined && new Set(own).size > 1;
  const each = layers / pipeline;
  const chunks = Number.isInteger(each) ? divisors(each) : [];
  return [
    ...(Number.isInteger(each) ? [parallel] : []),
    ...(uneven ? [{ ...parallel, layersPerStage: [...own] }] : []),
    ...chunks
      .filter((virtualStages) => virtualStages > 1 && virtualStages <= mostVirtualStages)
      .map((virtualStages) => ({ ...parallel, virtualStages })),
  ];
}

function workloads({ workload }: PlanFile, { data, pipeline }: Mesh): Workload[] {
  const { schedule: _, recompute: _own, ...rest } = workload;
  const { schedule, recompute } = workload;
  if (workload.batch % data !== 0) return [];
  const hasBackward = workload.optimizer !== undefined || schedule !== undefined;
  const isTraining = workload.mode === "training" && hasBackward;
  const schedules = isTraining
    ? pipeline === 1
      ? [schedule]
      : (["1f1b", "gpipe"] as const)
    : [schedule];
  const everything = { granularity: "full", method: "uniform", layers: 1 } as const;
  const selective = recompute?.granularity === "selective" ? [recompute] : [];
  const recomputes = isTraining ? [undefined, everything, ...selective] : [recompute];
  return divisors(workload.batch / data).flatMap((microBatches) =>
    schedules.flatMap((order) =>
      recomputes.map((again): Workload => ({
        ...rest,
        microBatches,
        ...(order === undefined ? {} : { schedule: order }),
        ...(again === undefined ? {} : { recompute: again }),
      })),
    ),
  );
}

function overlaps({ optimizations = [] }: PlanFile): string[][] {
  const others = optimizations.filter((name) => name !== overlap);
  return [[...others, overlap], others];
}

/**
 * Whole numbers of blocks for each stage, in their order, so that the largest sum is least.
 *
 * @param first and last what stands before the first block and behind the last
 */
export function balancedStages(
  blocks: readonly number[],
  stages: number,
  first: number,
  last: number,
): number[] {
  const sums = [0];
  for (const work of blocks) sums.push((sums.at(-1) ?? 0) + work);
  const workOf = (stage: number, from: number, to: number): number =>
    (sums[to] ?? 0) -
    (sums[from] ?? 0) +
    (stage === 0 ? first : 0) +
    (stage === stages - 1 ? last : 0);
  /** By blocks so far: the least of the largest, and where the last stage begins. */
  let least = sums.map((_, to) => workOf(0, 0, to));
  const begins: number[][] = [];
  for (let stage = 1; stage < stages; stage++) {
    const before = least;
    const begin: number[] = [];
    least = sums.map((_, to) => {
      let best = Infinity;
      for (let from = stage; from < to; from++) {
        const most = Math.max(before[from] ?? 0, workOf(stage, from, to));
        if (most >= best) continue;
        best = most;
        begin[to] = from;
      }
      return best;
    });
    begins.push(begin);
  }
  const counts: number[] = [];
  let end = blocks.length;
  for (const begin of begins.toReversed()) {
    const from = begin[end] ?? 0;
    counts.push(end - from);
    end = from;
  }
  return [...counts, end].toReversed();
}

/** Whether two plans ask for the same split, however it is written. */
export function splitKey(file: PlanFile): string {
  const { workload, parallel, optimizations = [] } = file;
  const { microBatches = 1, schedule, recompute } = workload;
  const {
    layersPerStage,
    virtualStages = 1,
    expertGroup,
    tensorGroup: _,
    ...rest
  } = {
    ...degreesOf(file),
    ...parallel,
  };
  return JSON.stringify([
    Object.entries(rest).toSorted(([a], [b]) => a.localeCompare(b)),
    layersPerStage ?? [],
    virtualStages,
    expertGroup ?? [],
    microBatches,
    schedule ?? "",
    recompute ?? {},
    optimizations.includes(overlap),
  ]);
}
