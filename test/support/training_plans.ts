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
