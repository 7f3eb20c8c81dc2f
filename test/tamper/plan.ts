// One plan with every kind of kernel and collective that layers use, small enough to be run a hundred times.

import { normalise } from "../../src/plan/normalise.ts";
import type { Plan } from "../../src/plan/plan.ts";
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
export function specialIn(
  dtype: "f32" | "f16",
  which: "one rank" | "two stages" | "short sums" | "serving",
): Plan {
  if (which === "serving") return servingIn(dtype);
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
