// Small plans that between them use every layer, split and communication.

import { networkOf, type NetworkActivation } from "../../src/plan/activation.ts";
import type { Layer } from "../../src/plan/layers/layers.ts";
import type { LinearLayer } from "../../src/plan/layers/linear.ts";
import type { MlpLayer } from "../../src/plan/layers/mlp.ts";
import type { MoeLayer } from "../../src/plan/layers/moe.ts";
import type { Plan, Workload } from "../../src/plan/plan.ts";

const workload: Workload = {
  mode: "inference",
  batch: 4,
  microBatches: 2,
  sequence: 3,
  dtype: "f32",
  seed: 1,
};

type Draft<L> = L extends Layer ? Omit<L, "name"> : never;

export function plan(
  name: string,
  gpus: number,
  stages: readonly (readonly Draft<Layer>[])[],
  rest: Partial<Omit<Plan, "workload">> & { workload?: Partial<Workload> } = {},
): Plan {
  return {
    name,
    hardware: { gpus },
    communications: [],
    optimizations: [],
    claims: {},
    assumed: [],
    notes: [],
    ...rest,
    workload: { ...workload, ...rest.workload },
    stages: stages.map((layers, s) => ({
      name: `stage${s}`,
      layers: layers.map((layer, i) => ({ ...layer, name: `${i}.${layer.op}` })),
    })),
  };
}

type Groups = number[][];

export function linear(
  input: number,
  out: number,
  split: "column" | "row" | "replicated",
  groups: Groups,
  activation: LinearLayer["activation"] = "none",
): Draft<Layer> {
  return { op: "linear", in: input, out, split, groups, activation };
}

export function attention(
  hidden: number,
  heads: number,
  kvHeads: number,
  groups: Groups,
  causal = true,
): Draft<Extract<Layer, { op: "attention" }>> {
  return { op: "attention", hidden, heads, kvHeads, headDim: 4, causal, groups };
}

export function mlp(
  hidden: number,
  ffn: number,
  activation: NetworkActivation,
  groups: Groups,
  rest: Partial<MlpLayer> = {},
): Draft<Layer> {
  return { op: "mlp", hidden, ffn, ...networkOf({ activation }), groups, ...rest };
}

export function moe(
  hidden: number,
  experts: number,
  topK: number,
  groups: Groups,
  expertGpus: number[],
  rest: Partial<MoeLayer> = {},
): Draft<Layer> {
  return {
    op: "moe",
    hidden,
    ffn: 6,
    ...networkOf(rest),
    experts,
    topK,
    renormalise: false,
    groups,
    expertGroups: [expertGpus.map((gpu) => [gpu])],
    ...rest,
  };
}

export function norm(hidden: number, groups: Groups, kind: "rms" | "layer" = "rms"): Draft<Layer> {
  return {
    op: "norm",
    norm: kind,
    hidden,
    // Large, so that narrow rows do not blow up rounding errors.
    epsilon: 0.1,
    groups,
  };
}

/** So many layers, one after the other: norms, networks and the residuals around them. */
export function deepPlan(layers: number): Plan {
  return plan(`${layers} layers`, 2, [
    Array.from({ length: layers }, (_, i): Draft<Layer> => {
      if (i % 3 === 0) return norm(16, [[0, 1]]);
      if (i % 3 === 1) return mlp(16, 32, "gelu", [[0, 1]]);
      return { op: "residual", from: i - 2, hidden: 16, groups: [[0, 1]] };
    }),
  ]);
}

export const plans: readonly Plan[] = [
  plan("column then row on two ranks", 2, [
    [linear(5, 6, "column", [[0, 1]]), linear(6, 3, "row", [[0, 1]])],
  ]),
  plan("a column result that is gathered by what follows", 3, [
    [linear(5, 6, "column", [[0, 1, 2]], "gelu"), linear(6, 7, "replicated", [[0]])],
  ]),
  plan(
    "unequal groups with declared communications",
    3,
    [
      [linear(6, 10, "column", [[0, 1]])],
      [linear(10, 5, "row", [[1, 2]])],
      [{ op: "aggregate", over: "batch", groups: [[2]] }],
    ],
    {
      communications: [
        { name: "gather", op: "all-gather", from: [0, 1], to: [1, 2], after: 0 },
        { name: "reduce", op: "all-reduce", from: [1, 2], to: [2], after: 1 },
      ],
    },
  ),
  plan(
    "reduce-scatter, then rows gathered elsewhere",
    4,
    [[linear(6, 5, "row", [[0, 1]])], [linear(5, 2, "replicated", [[2]])]],
    {
      communications: [
        { name: "scatter", op: "reduce-scatter", from: [0, 1], to: [1, 2, 3], after: 0 },
      ],
    },
  ),
  plan(
    "columns to rows by all-to-all",
    3,
    [[linear(6, 8, "column", [[0, 1]])], [linear(8, 2, "replicated", [[0, 1, 2]])]],
    { communications: [{ name: "swap", op: "all-to-all", from: [0, 1], to: [0, 1, 2], after: 0 }] },
  ),
  plan(
    "broadcast and send",
    4,
    [
      [linear(6, 5, "replicated", [[0]])],
      [linear(5, 4, "replicated", [[1, 2]])],
      [linear(4, 3, "replicated", [[3, 0]])],
    ],
    {
      communications: [
        { name: "spread", op: "broadcast", from: [0], to: [1, 2], after: 0 },
        { name: "pass", op: "send", from: [1, 2], to: [3, 0], after: 1 },
      ],
    },
  ),
  plan("attention with grouped heads and a gated MLP on two ranks", 2, [
    [
      { op: "embedding", vocabulary: 11, hidden: 8, split: "row", groups: [[0, 1]] },
      norm(8, [[0, 1]]),
      attention(8, 4, 2, [[0, 1]]),
      { op: "residual", hidden: 8, from: 1, groups: [[0, 1]] },
      norm(8, [[0, 1]], "layer"),
      mlp(8, 6, "silu", [[0, 1]]),
      { op: "residual", hidden: 8, from: 4, groups: [[0, 1]] },
    ],
  ]),
  plan("one key-value head for four ranks, not causal", 4, [
    [
      { op: "embedding", vocabulary: 7, hidden: 8, split: "column", groups: [[0, 1, 2, 3]] },
      attention(8, 4, 1, [[0, 1, 2, 3]], false),
      mlp(8, 8, "gelu", [[0, 1, 2, 3]]),
    ],
  ]),
  plan("experts on three ranks, tokens from two, as one with TP = 2 and EP = 3", 3, [
    [
      attention(8, 2, 2, [[0, 1]]),
      moe(8, 6, 1, [[0, 1]], [0, 1, 2]),
      { op: "residual", hidden: 8, from: 1, groups: [[0, 1]] },
    ],
  ]),
  plan("gated experts over capacity, elsewhere than their tokens", 4, [
    [
      linear(6, 8, "replicated", [[0, 1]]),
      moe(8, 3, 2, [[0, 1]], [2, 3], {
        capacityFactor: 0.7,
        activation: "silu",
        renormalise: true,
      }),
      linear(8, 2, "replicated", [[2]]),
    ],
  ]),
  plan("data replicas that meet in one aggregation", 4, [
    [
      linear(6, 8, "column", [
        [0, 1],
        [2, 3],
      ]),
      mlp(8, 8, "gelu", [
        [0, 1],
        [2, 3],
      ]),
    ],
    [{ op: "aggregate", over: "sequence", groups: [[1], [2]] }, linear(8, 3, "replicated", [[3]])],
  ]),
  plan("a mean over the batch from two replicas", 2, [
    [
      linear(6, 8, "replicated", [[0], [1]]),
      mlp(8, 6, "silu", [[0], [1]]),
      { op: "residual", hidden: 8, from: 1, groups: [[0], [1]] },
      { op: "aggregate", over: "batch", groups: [[0], [1]] },
    ],
  ]),
  plan("experts shared by two data replicas", 4, [
    [
      linear(6, 8, "replicated", [
        [0, 1],
        [2, 3],
      ]),
      moe(
        8,
        5,
        2,
        [
          [0, 1],
          [2, 3],
        ],
        [0, 1, 2, 3],
      ),
    ],
  ]),
  plan(
    "1F1B with synthetic backward slots",
    3,
    [[linear(6, 8, "column", [[0, 1]]), linear(8, 8, "row", [[0, 1]])], [mlp(8, 6, "silu", [[2]])]],
    { workload: { batch: 6, microBatches: 3, mode: "training", schedule: "1f1b" } },
  ),
  plan(
    "two ranks that take turns twice",
    2,
    [
      [linear(6, 8, "replicated", [[0]])],
      [linear(8, 8, "replicated", [[1]])],
      [linear(8, 8, "replicated", [[0]])],
      [linear(8, 5, "replicated", [[1]])],
    ],
    { workload: { batch: 4, microBatches: 4 } },
  ),
];
