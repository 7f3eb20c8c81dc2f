// What no training run can pass, and what one can although this program does more.

import { expect, test } from "vitest";
import { blocksOf } from "../../src/plan/blocks.ts";
import type { Claims } from "../../src/plan/plan.ts";
import { estimatePlan } from "../../src/program/estimate.ts";
import { verdictOn } from "../support/given.ts";
import { trainingPlan } from "../support/training_plans.ts";
import { planOf } from "../support/written_plan.ts";

test("a block's latency is of its forward pass, as it is measured", () => {
  const plan = trainingPlan("one rank");
  const { optimizer: _, schedule: _schedule, ...workload } = plan.workload;
  const forward = { ...plan, workload };
  const blocks = blocksOf(forward);
  const names = new Set(blocks.flat());
  const flops = estimatePlan(forward)
    .layers.filter(({ layer }) => names.has(layer))
    .reduce((sum, layer) => sum + layer.flops, 0);
  const leastMs = (1000 * flops) / workload.microBatches / blocks.length / 1e9;
  const judged = (latencyPerLayerMs: number) =>
    verdictOn(
      { ...plan, hardware: { gpus: 1, peakFlops: 1e9 }, claims: { latencyPerLayerMs } },
      "latencyPerLayerMs",
    )?.judgement;
  expect(judged(0.97 * leastMs)).toBe("refuted");
  expect(judged(leastMs)).toBe("untestable");
});

test("replicas sum gradients over all links of a GPU, and may send them in 16 bits", () => {
  const plan = planOf(`
name: replicas
hardware: { gpus: 4, linkBandwidth: 1MB/s }
workload: { mode: training, batch: 4, sequence: 8, optimizer: { name: sgd } }
model: { layers: 1, hidden: 64, heads: 4 }
parallel: { data: 4 }
`);
  const received = Math.max(...estimatePlan(plan).ranks.map(({ receivedBytes }) => receivedBytes));
  // A reduce-scatter within a switch brings half of what a ring's all-reduce does, f16 half of that.
  const most = (4 * 3e6) / (received / 4);
  const judged = (samplesPerSecond: number) =>
    verdictOn({ ...plan, assumed: [], claims: { samplesPerSecond } }, "samplesPerSecond")
      ?.judgement;
  expect(judged(0.99 * most)).toBe("untestable");
  expect(judged(1.03 * most)).toBe("refuted");
});

/** Two stages, of which the second has a head besides, which is not computed again. */
function withHead(recompute: string) {
  return planOf(`
name: head
hardware: { gpus: 2 }
workload: { mode: training, batch: 512, microBatches: 512, sequence: 64, schedule: 1f1b${recompute} }
model: { layers: 2, hidden: 64, heads: 4, vocabulary: 768 }
parallel: { pipeline: 2 }
`);
}

function balanced(recompute: string, claims: Claims) {
  return verdictOn({ ...withHead(recompute), claims }, Object.keys(claims)[0] ?? "");
}

const full = ", recompute: { granularity: full, method: uniform, layers: 1 }";

test("blocks that are computed again balance the load of hardware utilization", () => {
  const [block = 0, last = 0] = estimatePlan(withHead(full)).ranks.map(({ flops }) => flops);
  const mfu = (block + last) / (2 * last);
  // Of three forward passes each, and the block's once more.
  const hfu = (4 * block + 3 * last + block) / (2 * (3 * last + block));
  expect(hfu).toBeGreaterThan(1.04 * mfu);
  const judged = (claims: Claims) => balanced(full, claims)?.judgement;
  expect(judged({ hardwareFlopsUtilization: hfu })).toBe("untestable");
  expect(judged({ hardwareFlopsUtilization: 1.03 * hfu })).toBe("refuted");
  expect(judged({ computeUtilization: 1.03 * mfu })).toBe("refuted");
});

test("what may be computed again is not known where the plan does not say it", () => {
  expect(balanced("", { hardwareFlopsUtilization: 0.9 })).toMatchObject({
    judgement: "untestable",
    reason: expect.stringMatching(/what is computed again/) as string,
  });
});
