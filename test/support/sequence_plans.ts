// Small models under sequence parallelism, in every combination with the other degrees.

import type { Plan } from "../../src/plan/plan.ts";
import { planOf } from "./written_plan.ts";

interface Options {
  readonly name?: string;
  readonly gpus?: number;
  readonly microBatches?: number;
  readonly sequence?: number;
  readonly dtype?: Plan["workload"]["dtype"];
  readonly workload?: string;
  /** 0: from vectors to vectors. */
  readonly vocabulary?: number;
  /** Fields of the model that differ, as YAML. */
  readonly model?: string;
  readonly parallel: string;
  readonly optimizations?: string;
}

/** Fields of a YAML flow mapping, of which the later ones count. */
function fields(...texts: readonly string[]): string {
  const found = new Map<string, string>();
  for (const text of texts) {
    for (const [, key = "", value = ""] of text.matchAll(/(\w+): (\{[^}]*\}|[^,{}]+)/g)) {
      found.set(key, value.trim());
    }
  }
  return [...found].map(([key, value]) => `${key}: ${value}`).join(", ");
}

/** One block of attention and MLP between embedding and head, samples of 10 tokens, two at a time. */
export function sequencePlan(options: Options): Plan {
  const { gpus = 2, microBatches = 2, sequence = 10, dtype = "f32", vocabulary = 24 } = options;
  const model = fields(
    "layers: 1, hidden: 16, heads: 4, kvHeads: 4, headDim: 4, ffn: 24",
    vocabulary === 0 ? "" : `vocabulary: ${vocabulary}`,
    options.model ?? "",
  );
  const workload = fields(
    `batch: ${2 * microBatches}, microBatches: ${microBatches}, sequence: ${sequence}, dtype: ${dtype}`,
    options.workload ?? "",
  );
  return planOf(`
name: ${options.name ?? "sequence"}
hardware: { gpus: ${gpus} }
workload: { ${workload} }
model: { ${model} }
parallel: ${options.parallel}
optimizations: [${options.optimizations ?? ""}]
`);
}

/** Odd sizes: no dimension is a multiple of a tile, and of most the rows fill no quad of ranks. */
export function sequencePlansIn(dtype: Plan["workload"]["dtype"]): readonly Plan[] {
  return [
    sequencePlan({
      name: "two ranks, layer norms, a gated network",
      dtype,
      sequence: 14,
      model: "hidden: 20, heads: 2, kvHeads: 1, headDim: 12, ffn: 26, gated: true, norm: layer",
      parallel: "{ tensor: 2, sequence: true }",
    }),
    sequencePlan({
      name: "three ranks, from vectors to vectors",
      dtype,
      gpus: 3,
      sequence: 9,
      model: "layers: 2, hidden: 18, heads: 6, kvHeads: 3, headDim: 4, ffn: 33",
      vocabulary: 0,
      parallel: "{ tensor: 3, sequence: true }",
    }),
    sequencePlan({
      name: "four ranks, one head each of keys and values for two",
      dtype,
      gpus: 4,
      sequence: 12,
      model: "hidden: 14, heads: 4, kvHeads: 2, headDim: 8, ffn: 28",
      parallel: "{ tensor: 4, sequence: true }",
    }),
    sequencePlan({
      name: "two replicas of two ranks, with unequal samples",
      dtype,
      gpus: 4,
      microBatches: 1,
      workload: "batch: 3",
      parallel: "{ tensor: 2, data: 2, sequence: true }",
    }),
    sequencePlan({
      name: "two stages of two ranks",
      dtype,
      gpus: 4,
      microBatches: 3,
      model: "layers: 3",
      parallel: "{ tensor: 2, pipeline: 2, layersPerStage: [1, 2], sequence: true }",
    }),
    sequencePlan({
      name: "interleaved 1F1B with a synthetic backward pass",
      dtype,
      gpus: 4,
      microBatches: 4,
      workload: "mode: training, schedule: 1f1b",
      model: "layers: 4",
      parallel: "{ tensor: 2, pipeline: 2, virtualStages: 2, sequence: true }",
    }),
    sequencePlan({
      name: "experts beside dense networks on two replicas",
      dtype,
      gpus: 4,
      model: "layers: 2, moe: { experts: 4, topK: 2, ffn: 10, dense: true }",
      parallel: "{ tensor: 2, data: 2, expert: 4, sequence: true }",
    }),
    sequencePlan({
      name: "experts in blocks beside their exchange",
      dtype,
      sequence: 70,
      microBatches: 1,
      model: "moe: { experts: 4, topK: 2, ffn: 10 }",
      parallel: "{ tensor: 2, expert: 2, sequence: true }",
      optimizations: "communication-overlap",
    }),
  ];
}

export const sequencePlans = sequencePlansIn("f32");
