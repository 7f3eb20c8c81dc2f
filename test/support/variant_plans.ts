// Small models, one for each way in which published ones differ in their blocks.

import type { Plan } from "../../src/plan/plan.ts";
import type { ModelFile } from "../../src/plan/schema_model.ts";
import type { PlanFile } from "../../src/plan/schema.ts";
import { planOf } from "./written_plan.ts";

interface Variant {
  readonly name: string;
  readonly model: Partial<ModelFile>;
  readonly gpus?: number;
  readonly parallel?: PlanFile["parallel"];
}

const tensor = { gpus: 2, parallel: { tensor: 2 } } as const;
const sequence = { gpus: 2, parallel: { tensor: 2, sequence: true } } as const;

/** Two blocks of odd sizes, samples of 6 tokens, two at a time. */
export function variantPlan(
  { name, model, gpus = 1, parallel = {} }: Variant,
  dtype: Plan["workload"]["dtype"] = "f32",
): Plan {
  return planOf(
    JSON.stringify({
      name,
      hardware: { gpus },
      workload: { batch: 4, microBatches: 2, sequence: 6, dtype },
      model: {
        layers: 2,
        hidden: 18,
        heads: 2,
        headDim: 4,
        ffn: 10,
        vocabulary: 22,
        // Large, so that narrow rows do not blow up rounding errors.
        normEpsilon: 0.01,
        ...model,
      },
      parallel,
    }),
  );
}

export const variants: readonly Variant[] = [
  {
    name: "GPT-2: learned positions, layer norms, biases, a tied head",
    ...tensor,
    model: {
      norm: "layer",
      biases: ["mlp", "head"],
      positions: { kind: "learned", count: 9, offset: 2 },
      tiedEmbeddings: true,
    },
  },
  {
    name: "Gemma 2: norms before and after, a scaled embedding, capped logits",
    ...sequence,
    model: {
      gated: true,
      activation: "gelu",
      postNorms: true,
      unitOffsetNorms: true,
      embeddingScale: 4.25,
      logitSoftcap: 0.8,
      tiedEmbeddings: true,
    },
  },
  {
    name: "OLMo 2: norms only after",
    ...tensor,
    model: { gated: true, postNorms: "only" },
  },
  {
    name: "OLMo 2, each rank with a part of the tokens",
    ...sequence,
    model: { gated: true, postNorms: "only" },
  },
  {
    name: "GPT-NeoX: attention and MLP side by side, each with a norm",
    ...tensor,
    model: { norm: "layer", parallelResidual: "own-norms", biases: ["mlp"] },
  },
  {
    name: "GPT-NeoX, each rank with a part of the tokens",
    ...sequence,
    model: { norm: "layer", parallelResidual: "own-norms", biases: ["mlp"] },
  },
  {
    name: "Cohere: side by side behind one norm without a bias, scaled logits",
    ...tensor,
    model: {
      norm: "layer",
      normBias: false,
      gated: true,
      parallelResidual: "shared-norm",
      logitScale: 0.0625,
    },
  },
  {
    name: "side by side, each rank with a part of the tokens, in two stages of two replicas",
    gpus: 8,
    parallel: { tensor: 2, pipeline: 2, data: 2, sequence: true },
    model: { parallelResidual: "shared-norm", activation: "relu2" },
  },
  {
    name: "Granite: scaled embedding, residuals and logits",
    ...tensor,
    model: { gated: true, embeddingScale: 12, residualScale: 0.22, logitScale: 0.125 },
  },
  {
    name: "Granite on one rank, with biases",
    model: { residualScale: 0.22, biases: ["mlp"] },
  },
  {
    name: "BLOOM: a norm behind the embedding",
    ...tensor,
    model: { norm: "layer", embeddingNorm: true, biases: ["mlp"] },
  },
  {
    name: "DeepSeek V3: the best groups, corrected sigmoids, a shared expert",
    gpus: 2,
    parallel: { tensor: 2, expert: 2 },
    model: {
      gated: true,
      moe: {
        experts: 12,
        topK: 3,
        ffn: 6,
        renormalise: true,
        scoring: "sigmoid",
        routingBias: true,
        groupLimit: { groups: 4, topGroups: 2, scoredBy: "two-best" },
        routedScale: 2.5,
        sharedFfn: 8,
        denseLayers: [0],
      },
    },
  },
  {
    name: "DeepSeek V2: the best groups by their best, softmax of all",
    gpus: 2,
    parallel: { data: 2, expert: 2 },
    model: {
      gated: true,
      moe: {
        experts: 6,
        topK: 2,
        ffn: 7,
        renormalise: false,
        groupLimit: { groups: 3, topGroups: 2, scoredBy: "best" },
        routedScale: 16,
        sharedFfn: 8,
      },
    },
  },
  {
    name: "Qwen2-MoE: a shared expert behind a gate, experts sliced",
    ...tensor,
    model: {
      gated: true,
      moe: { experts: 5, topK: 2, ffn: 6, renormalise: false, sharedFfn: 10, sharedGate: true },
    },
  },
  {
    name: "Qwen2-MoE, each rank with a part of the tokens and of the experts",
    gpus: 2,
    parallel: { tensor: 2, expert: 2, sequence: true },
    model: {
      gated: true,
      moe: { experts: 5, topK: 2, ffn: 6, renormalise: false, sharedFfn: 10, sharedGate: true },
    },
  },
  {
    name: "Llama 4: one expert that reads its share, every other layer dense",
    gpus: 2,
    parallel: { tensor: 2, expert: 2 },
    model: {
      gated: true,
      moe: {
        experts: 4,
        topK: 1,
        ffn: 6,
        renormalise: false,
        scoring: "sigmoid",
        weighsInput: true,
        sharedFfn: 6,
        denseLayers: [0],
      },
    },
  },
  {
    name: "gpt-oss: clamped gates, biases of experts and router",
    ...tensor,
    model: {
      gated: true,
      activation: "clamped-silu",
      biases: ["experts", "router"],
      moe: { experts: 6, topK: 3, ffn: 8, renormalise: true },
    },
  },
];
