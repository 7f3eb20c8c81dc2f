// Small transformers whose ranks share sequences.

import type { Plan } from "../../src/plan/plan.ts";
import { planOf } from "./written_plan.ts";

export interface SharedSequences {
  readonly gpus: number;
  readonly parallel: string;
  /** Of the model, beyond its sizes. Default: rotary positions. */
  readonly model?: string;
  readonly workload?: string;
  readonly optimizations?: string;
  readonly batch?: number;
  readonly dtype?: string;
  /** Default: training. */
  readonly mode?: "inference";
}

export function contextPlan({
  gpus,
  parallel,
  batch = 4,
  dtype = "f32",
  ...own
}: SharedSequences): Plan {
  const { model = "positions: { kind: rotary }", workload = "", optimizations = "", mode } = own;
  const step = mode === undefined ? "optimizer: { name: adamw, clipNorm: 1 }" : "";
  return planOf(`
name: shared sequences
hardware: { gpus: ${gpus} }
workload:
  { mode: ${mode ?? "training"}, batch: ${batch}, microBatches: 2, sequence: 12, dtype: ${dtype}, ${workload} ${step} }
model:
  { layers: ${parallel.includes("pipeline") ? 2 : 1}, hidden: 16, heads: 4, headDim: 8, ffn: 24, vocabulary: 40, norm: rms,
    gated: true, ${model} }
parallel: { ${parallel} }
optimizations: [${optimizations}]
`);
}
