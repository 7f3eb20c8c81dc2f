// Small transformers that train, split in every way that has gradients.

import type { Plan } from "../../src/plan/plan.ts";
import { planOf } from "./written_plan.ts";

interface Split {
  readonly gpus: number;
  readonly parallel: string;
  readonly more?: string;
  readonly workload?: string;
}

const splits: Readonly<Record<string, Split>> = {
  "one rank": { gpus: 1, parallel: "tensor: 1" },
  "two tensor ranks": { gpus: 2, parallel: "tensor: 2" },
  "two tensor ranks, sequence parallel": { gpus: 2, parallel: "tensor: 2, sequence: true" },
  "two pipeline ranks, 1F1B": { gpus: 2, parallel: "pipeline: 2" },
  "two pipeline ranks, GPipe": { gpus: 2, parallel: "pipeline: 2", workload: "schedule: gpipe," },
  "two data replicas": { gpus: 2, parallel: "data: 2" },
  "two data replicas that share the optimizer's state": { gpus: 2, parallel: "data: 2, zero: 1" },
};

export function trainingPlan(split: string, { tied = false, dtype = "f32", more = "" } = {}): Plan {
  const found = splits[split];
  if (found === undefined) throw new Error(`no split ${split}`);
  const { gpus, parallel, workload = "" } = found;
  return planOf(`
name: trained
hardware: { gpus: ${gpus} }
workload:
  { mode: training, batch: 4, microBatches: 2, sequence: 6, dtype: ${dtype}, ${workload}
    optimizer: { name: adamw, clipNorm: 1 } }
model:
  { layers: 2, hidden: 16, heads: 4, kvHeads: 2, ffn: 24, gated: true, vocabulary: 40, norm: rms,
    positions: { kind: rotary }, tiedEmbeddings: ${tied}${more} }
parallel: { ${parallel} }
`);
}

/** Of a data set that is made; its seed is fixed. */
export function dataSetPlan(split: string, isPrefetched: boolean): Plan {
  const plan = trainingPlan(split);
  const { optimizer, ...workload } = plan.workload;
  if (optimizer === undefined) throw new Error("the plan trains nothing");
  const data = { dtype: "uint16", tokens: 2 ** 14, isPrefetched } as const;
  const faster = { ...optimizer, learningRate: 0.01 };
  return { ...plan, workload: { ...workload, optimizer: faster, data } };
}

const expertSplits: Readonly<Record<string, Split>> = {
  "one rank": { gpus: 1, parallel: "tensor: 1" },
  "whole experts on two tensor ranks": { gpus: 2, parallel: "tensor: 2, expert: 2" },
  "whole experts, sequence parallel": { gpus: 2, parallel: "tensor: 2, expert: 2, sequence: true" },
  "slices of experts": { gpus: 2, parallel: "tensor: 2" },
  "slices of experts, sequence parallel": { gpus: 2, parallel: "tensor: 2, sequence: true" },
  "whole experts on two data replicas": { gpus: 2, parallel: "data: 2, expert: 2" },
  "replicas of all experts": { gpus: 2, parallel: "data: 2" },
  "replicas that share the optimizer's state": { gpus: 3, parallel: "data: 3, zero: 1" },
  "sequence-parallel replicas that share the optimizer's state": {
    gpus: 4,
    parallel: "tensor: 2, sequence: true, data: 2, zero: 1",
  },
  "slices, whole experts and replicas": {
    gpus: 8,
    parallel: "tensor: 2, data: 4, expert: 2, expertTensor: 2",
  },
  "two pipeline ranks of two": { gpus: 4, parallel: "tensor: 2, expert: 2, pipeline: 2" },
};

export const expertTrainingSplits = Object.keys(expertSplits);

/** One block to a stage. @param moe beyond its sizes */
export function expertTrainingPlan(
  split: string,
  { dtype = "f32", moe = "", model = "" } = {},
): Plan {
  const found = expertSplits[split];
  if (found === undefined) throw new Error(`no split ${split}`);
  return planOf(`
name: trained experts
hardware: { gpus: ${found.gpus} }
workload:
  { mode: training, batch: 8, microBatches: 2, sequence: 3, dtype: ${dtype},
    optimizer: { name: adamw, clipNorm: 1 } }
model:
  { layers: ${found.parallel.includes("pipeline") ? 2 : 1}, hidden: 16, heads: 2, ffn: 12, gated: true, vocabulary: 20,
    norm: rms${model}, moe: { experts: 4, topK: 2, ffn: 6${moe} } }
parallel: { ${found.parallel} }
`);
}

const shared: Readonly<
  Record<string, Split & { readonly model?: string; readonly optimizations?: string }>
> = {
  "two replicas": { gpus: 2, parallel: "data: 2" },
  "two replicas, one ahead": {
    gpus: 2,
    parallel: "data: 2",
    optimizations: "communication-overlap",
  },
  "three replicas, tied tables": { gpus: 3, parallel: "data: 3", model: "tiedEmbeddings: true," },
  "replicas of two tensor ranks, sequence parallel": {
    gpus: 4,
    parallel: "tensor: 2, sequence: true, data: 2",
  },
  "replicas of two pipeline ranks, tied tables": {
    gpus: 4,
    parallel: "pipeline: 2, data: 2",
    model: "tiedEmbeddings: true,",
    optimizations: "communication-overlap",
  },
  "two groups of two replicas": { gpus: 4, parallel: "data: 4, dataShard: 2" },
  "more replicas than rows, recomputed": {
    gpus: 6,
    parallel: "data: 6",
    workload: "schedule: 1f1b, recompute: { granularity: full, method: uniform, layers: 1 },",
  },
  experts: { gpus: 2, parallel: "data: 2", model: "moe: { experts: 3, topK: 2, ffn: 4 }," },
};

export const sharedTrainingSplits = Object.keys(shared);

/** What replicas share out of a step. @param stage of ZeRO, 0 for nothing */
export function sharedTrainingPlan(split: string, stage: 0 | 1 | 2 | 3, dtype = "f32"): Plan {
  const found = shared[split];
  if (found === undefined) throw new Error(`no split ${split}`);
  const { gpus, parallel, workload = "", model = "", optimizations = "" } = found;
  const groups = stage === 0 ? parallel.replace(/, dataShard: \d+/u, "") : parallel;
  return planOf(`
name: shared out
hardware: { gpus: ${gpus} }
workload:
  { mode: training, batch: 24, microBatches: 2, sequence: 3, dtype: ${dtype}, ${workload}
    optimizer: { name: adamw, clipNorm: 1, learningRate: 0.01 } }
model:
  { layers: ${parallel.includes("pipeline") ? 2 : 1}, hidden: 8, heads: 2, ffn: 4, vocabulary: 12, norm: rms, ${model}
    positions: { kind: rotary } }
parallel: { ${groups}, zero: ${stage} }
optimizations: [${optimizations}]
`);
}

/** Of enough rows that products and their collectives go in windows. */
export function overlappedTraining(): Plan {
  return planOf(`
name: overlapped
hardware: { gpus: 2 }
workload: { mode: training, batch: 4, sequence: 64, optimizer: { name: sgd } }
model: { layers: 1, hidden: 16, heads: 2, ffn: 24, vocabulary: 40, norm: layer, positions: { kind: rotary } }
parallel: { tensor: 2 }
optimizations: [communication-overlap]
`);
}

/** With a part of the forward pass computed again. */
export function recomputedTraining(granularity: "full" | "selective"): Plan {
  const plan = trainingPlan("two pipeline ranks, 1F1B");
  const recompute =
    granularity === "full"
      ? ({ granularity, method: "uniform", layers: 1 } as const)
      : ({ granularity } as const);
  return { ...plan, workload: { ...plan.workload, recompute } };
}

export const trainingSplits = Object.keys(splits);
