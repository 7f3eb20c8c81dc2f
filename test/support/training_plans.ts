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

interface Trait {
  /** Of the model, beyond its sizes. */
  readonly model: string;
  readonly splits: readonly string[];
}

const traitSplits: Readonly<Record<string, Split>> = {
  "one rank": { gpus: 1, parallel: "tensor: 1" },
  "two tensor ranks": { gpus: 2, parallel: "tensor: 2" },
  "two tensor ranks, sequence parallel": { gpus: 2, parallel: "tensor: 2, sequence: true" },
  "four tensor ranks": { gpus: 4, parallel: "tensor: 4" },
  "replicas of four tensor ranks": { gpus: 8, parallel: "tensor: 4, data: 2" },
  "replicas of four tensor ranks that share the optimizer's state": {
    gpus: 8,
    parallel: "tensor: 4, data: 2, zero: 1",
  },
  "replicas of four tensor ranks that share gradients": {
    gpus: 8,
    parallel: "tensor: 4, data: 2, zero: 2",
  },
  "replicas of four tensor ranks that share weights": {
    gpus: 8,
    parallel: "tensor: 4, data: 2, zero: 3",
  },
  "two replicas": { gpus: 2, parallel: "data: 2" },
};

const few = ["one rank", "two tensor ranks"];
const many = [...few, "two tensor ranks, sequence parallel", "two replicas"];
const shared = [
  "four tensor ranks",
  "replicas of four tensor ranks",
  "replicas of four tensor ranks that share the optimizer's state",
  "replicas of four tensor ranks that share gradients",
  "replicas of four tensor ranks that share weights",
];
const latent = "latent: { keyValueRank: 8, rotaryDim: 4, valueDim: 12";

/** What models have besides, each with splits that matter for it. */
export const trainedTraits: Readonly<Record<string, Trait>> = {
  "norms of heads, as Qwen3": {
    model: "kvHeads: 2, positions: { kind: rotary }, qkNorm: true",
    splits: [...many, ...shared],
  },
  "norms of heads with weights of their own": {
    model: "kvHeads: 2, positions: { kind: rotary }, qkNorm: each-head",
    splits: [...few, "four tensor ranks"],
  },
  "norms over all heads, as OLMo 2": {
    model: "kvHeads: 2, positions: { kind: rotary }, qkNorm: all-heads",
    splits: [...many, "four tensor ranks"],
  },
  "norms without weights, as Llama 4": {
    model: "kvHeads: 2, positions: { kind: rotary }, qkNorm: l2",
    splits: few,
  },
  "norms without positions": { model: "kvHeads: 2, qkNorm: true", splits: few },
  "fewer heads of keys than ranks": {
    model: "kvHeads: 2, positions: { kind: rotary }",
    splits: shared,
  },
  "one head of keys, with biases": {
    model: "kvHeads: 1, biases: [qkv, attention-output]",
    splits: [...few, ...shared],
  },
  "learned positions, as GPT-2": {
    model:
      "norm: layer, biases: [qkv, attention-output, mlp], positions: { kind: learned, count: 9, offset: 2 }",
    splits: many,
  },
  sinks: {
    model:
      "kvHeads: 2, sinks: true, slidingWindow: { tokens: 3, layers: [0] }, positions: { kind: rotary }",
    splits: many,
  },
  "norms of heads, sinks, a shared head of keys": {
    model: "kvHeads: 1, qkNorm: true, sinks: true, biases: [qkv], positions: { kind: rotary }",
    splits: few,
  },
  "latent attention": {
    model: `${latent}, queryRank: 12 }, positions: { kind: rotary, interleaved: true }`,
    splits: many,
  },
  "latent attention, queries of full rank": {
    model: `${latent} }, positions: { kind: rotary }`,
    splits: few,
  },
  "caps, gated output and scaled residuals": {
    model:
      "kvHeads: 2, attentionSoftcap: 2, logitSoftcap: 3, attentionOutputGate: true, residualScale: 0.5, positions: { kind: rotary }",
    splits: few,
  },
};

/** A block with what the trait names. */
export function traitPlan(trait: string, split: string, { dtype = "f32", clip = 1 } = {}): Plan {
  const [found, own] = [trainedTraits[trait], traitSplits[split]];
  if (found === undefined || own === undefined) throw new Error(`no ${trait} on ${split}`);
  const norm = found.model.includes("norm: layer") ? "" : "norm: rms, gated: true, ";
  return planOf(`
name: trained trait
hardware: { gpus: ${own.gpus} }
workload:
  { mode: training, batch: 4, microBatches: 2, sequence: 6, dtype: ${dtype},
    optimizer: { name: adamw, clipNorm: ${clip} } }
model: { layers: 1, hidden: 16, heads: 4, headDim: 8, ffn: 24, vocabulary: 40, ${norm}${found.model} }
parallel: { ${own.parallel} }
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

const sharedOut: Readonly<
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
  "replicas of two tensor ranks, one head of keys": {
    gpus: 4,
    parallel: "tensor: 2, data: 2",
    model: "kvHeads: 1, biases: [qkv, attention-output], qkNorm: all-heads,",
  },
  "two groups of two replicas": { gpus: 4, parallel: "data: 4, dataShard: 2" },
  "more replicas than rows, recomputed": {
    gpus: 6,
    parallel: "data: 6",
    workload: "schedule: 1f1b, recompute: { granularity: full, method: uniform, layers: 1 },",
  },
  experts: { gpus: 2, parallel: "data: 2", model: "moe: { experts: 3, topK: 2, ffn: 4 }," },
};

export const sharedTrainingSplits = Object.keys(sharedOut);

/** What replicas share out of a step. @param stage of ZeRO, 0 for nothing */
export function sharedTrainingPlan(split: string, stage: 0 | 1 | 2 | 3, dtype = "f32"): Plan {
  const found = sharedOut[split];
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
