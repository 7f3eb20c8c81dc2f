// Small models of which some weights are larger than a GPU of the plan binds at once.

import type { Plan } from "../../src/plan/plan.ts";
import { planOf } from "./written_plan.ts";

interface Tiled {
  readonly name: string;
  /** Bytes; absent: all is bound whole. */
  readonly maxBinding: number;
  readonly yaml: (hardware: string, dtype: string) => string;
}

const tiled: readonly Tiled[] = [
  {
    name: "a table, a gated network with biases, a head with a bias",
    maxBinding: 160_000,
    yaml: (hardware, dtype) => `
hardware: { gpus: 1${hardware} }
workload: { batch: 2, sequence: 3, dtype: ${dtype} }
model:
  { layers: 1, hidden: 136, heads: 2, headDim: 8, ffn: 300, gated: true, vocabulary: 299,
    biases: [mlp, head], logitScale: 0.5 }
`,
  },
  {
    name: "a shared table, half of it on each of two ranks",
    maxBinding: 12_000,
    yaml: (hardware, dtype) => `
hardware: { gpus: 2${hardware} }
workload: { batch: 2, sequence: 3, dtype: ${dtype} }
model:
  { layers: 1, hidden: 16, heads: 2, ffn: 600, vocabulary: 598, tiedEmbeddings: true, embeddingScale: 3 }
parallel: { tensor: 2 }
`,
  },
  {
    name: "experts",
    maxBinding: 40_000,
    yaml: (hardware, dtype) => `
hardware: { gpus: 1${hardware} }
workload: { batch: 2, sequence: 5, dtype: ${dtype} }
model:
  { layers: 1, hidden: 16, heads: 2, ffn: 300, gated: true, vocabulary: 20,
    moe: { experts: 4, topK: 2 } }
`,
  },
  {
    name: "products in windows of rows, on their way while the next is computed",
    maxBinding: 4_200,
    yaml: (hardware, dtype) => `
hardware: { gpus: 2${hardware} }
workload: { batch: 2, sequence: 40, dtype: ${dtype} }
model: { layers: 1, hidden: 136, heads: 2, headDim: 8, ffn: 16, vocabulary: 20 }
parallel: { tensor: 2 }
optimizations: [communication-overlap]
`,
  },
  {
    name: "queries, keys and values side by side, cut within each",
    maxBinding: 8192,
    yaml: (hardware, dtype) => `
hardware: { gpus: 1${hardware} }
workload: { batch: 1, sequence: 5, dtype: ${dtype} }
model: { layers: 1, hidden: 16, heads: 20, kvHeads: 20, headDim: 8, ffn: 16, biases: [qkv] }
`,
  },
  {
    name: "a pipeline whose backward pass is synthetic",
    maxBinding: 12_000,
    yaml: (hardware, dtype) => `
hardware: { gpus: 2${hardware} }
workload: { mode: training, batch: 2, microBatches: 2, sequence: 3, dtype: ${dtype}, schedule: 1f1b }
model: { layers: 2, hidden: 16, heads: 2, ffn: 300, vocabulary: 299 }
parallel: { pipeline: 2 }
`,
  },
];

/** Each plan in tiles, and with all its weights whole. */
export function tiledPlans(dtype: Plan["workload"]["dtype"]) {
  return tiled.map(({ name, maxBinding, yaml }) => {
    const of = (limit: string): Plan => planOf(`name: ${name}\n${yaml(limit, dtype)}`);
    const bytes = dtype === "f16" ? maxBinding / 2 : maxBinding;
    return { name, inTiles: of(`, maxBinding: ${bytes}`), whole: of("") };
  });
}
