// One plan with every kind of kernel and collective that layers use, small enough to be run a hundred times.

import { normalise } from "../../src/plan/normalise.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { isReplicated, type Mutation, type Replicated } from "./mutations.ts";
import { attention, linear, mlp, moe, norm, plan } from "../support/plans.ts";

const groups = [[0, 1]];
const hidden = 32;

export function planIn(dtype: "f32" | "f16"): Plan {
  const small = plan(
    "every kind",
    2,
    [
      [
        { op: "embedding", vocabulary: 96, hidden, split: "column", groups },
        norm(hidden, groups),
        attention(hidden, 4, 4, groups),
        { op: "residual", from: 1, hidden, groups },
        norm(hidden, groups, "layer"),
        mlp(hidden, 64, "silu", groups),
        { op: "residual", from: 4, hidden, groups },
        norm(hidden, groups),
        moe(hidden, 4, 2, groups, [0, 1], {
          capacityFactor: 1.1,
          activation: "gelu",
          renormalise: true,
        }),
        { op: "residual", from: 7, hidden, groups },
        linear(hidden, hidden, "replicated", groups),
        { op: "residual", from: 10, hidden, groups },
        linear(hidden, 16, "replicated", groups, "gelu"),
        { op: "aggregate", over: "sequence", groups },
      ],
    ],
    { workload: { batch: 4, microBatches: 2, sequence: 40, dtype } },
  );
  // As large models have it: what matters little is hardest to see.
  const stages = small.stages.map((stage) => ({
    ...stage,
    layers: stage.layers.map((layer) =>
      layer.op === "norm" ? { ...layer, epsilon: 1e-5 } : layer,
    ),
  }));
  return { ...small, stages };
}

const workload = { batch: 8, microBatches: 4, sequence: 8 };

/** Where a rank waits for nothing, kernels of several micro-batches are given to the GPU together. */
export function specialIn(dtype: "f32" | "f16", which: NonNullable<Mutation["plan"]>): Plan {
  if (which === "serving") return servingIn(dtype);
  if (which === "training") return trainingIn(dtype);
  if (isReplicated(which)) return replicasIn(dtype, which);
  if (which === "rules" || which === "neighbors") return rulesIn(dtype, which);
  const first = linear(64, 64, "replicated", [[0]], "gelu");
  const second = linear(64, 64, "replicated", [[1]], "gelu");
  const stages = {
    "one rank": [[first]],
    "two stages": [[first], [second]],
    "short sums": [[linear(64, 16, "row", [[0, 1]])]],
  }[which];
  const gpus = which === "one rank" ? 1 : 2;
  return plan(which, gpus, stages, { workload: { ...workload, dtype } });
}

/** A model with all that heads and scores may have besides, its blocks on both of two ranks. */
function rulesIn(dtype: "f32" | "f16", which: "rules" | "neighbors"): Plan {
  const interleaved = which === "neighbors";
  const { plan: ruled } = normalise({
    name: which,
    hardware: { gpus: 2 },
    workload: { batch: 4, microBatches: 2, sequence: 40, dtype },
    model: {
      layers: 2,
      hidden: 32,
      heads: 4,
      kvHeads: 2,
      headDim: 16,
      ffn: 40,
      vocabulary: 48,
      positions: { kind: "rotary", dims: interleaved ? 8 : 16, interleaved },
      qkNorm: true,
      biases: ["qkv", "attention-output", "mlp"],
      sinks: true,
      slidingWindow: { tokens: 5, layers: [0] },
      attentionSoftcap: 2,
      logitSoftcap: 3,
    },
    parallel: { tensor: 2 },
  });
  if (ruled === undefined) throw new Error("no plan");
  return ruled;
}

/** Two replicas of all but experts, of which each has one. */
function trainingIn(dtype: "f32" | "f16"): Plan {
  const { plan: trained } = normalise({
    name: "training",
    hardware: { gpus: 2 },
    workload: {
      mode: "training",
      batch: 4,
      microBatches: 2,
      sequence: 5,
      dtype,
      optimizer: { name: "adamw", clipNorm: 0.01 },
    },
    model: {
      layers: 1,
      hidden: 8,
      heads: 1,
      vocabulary: 12,
      qkNorm: true,
      sinks: true,
      moe: { experts: 2, topK: 2, ffn: 8, renormalise: true, auxLossCoeff: 1, zLossCoeff: 1 },
    },
    parallel: { data: 2, expert: 2 },
  });
  if (trained === undefined) throw new Error("no plan");
  return trained;
}

const zeroStages = { replicas: 0, "zero 1": 1, "zero 2": 2, "zero 3": 3 } as const;

function replicasIn(dtype: "f32" | "f16", which: Replicated): Plan {
  const { plan: trained } = normalise({
    name: which,
    hardware: { gpus: 2 },
    workload: {
      mode: "training",
      batch: 4,
      microBatches: 2,
      sequence: 5,
      dtype,
      optimizer: { name: "adamw" },
    },
    model: { layers: 1, hidden: 8, heads: 1, ffn: 8, vocabulary: 12 },
    parallel: { data: 2, zero: zeroStages[which] },
  });
  if (trained === undefined) throw new Error("no plan");
  return trained;
}

/** Prompts in two chunks of other pages each, caches of more than one piece. */
function servingIn(dtype: "f32" | "f16"): Plan {
  const requests = { batch: 2, requests: 2, inputTokens: 70, outputTokens: 3 };
  const { plan: served } = normalise({
    name: "serving",
    hardware: { gpus: 1 },
    workload: { mode: "serving", dtype, ...requests, pageTokens: 16, prefillChunk: 40 },
    model: { layers: 1, hidden: 32, heads: 4, kvHeads: 2, ffn: 32, positions: { kind: "rotary" } },
  });
  if (served === undefined) throw new Error("no plan");
  return served;
}
