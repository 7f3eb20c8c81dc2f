// Plans that serve on real rank processes: checked, timed and read back.

import { expect, test } from "vitest";
import { parseResult } from "../../src/harness/earlier_result.ts";
import { runPlan } from "../../src/harness/run_plan.ts";
import { normalise } from "../../src/plan/normalise.ts";
import type { Plan } from "../../src/plan/plan.ts";
import type { PlanFile } from "../../src/plan/schema.ts";
import { textOfResult } from "../../src/result/result_text.ts";
import { adapterUnderTest, describeOnAdapter, shareOf } from "../support/gpu.ts";

const adapter = adapterUnderTest();
const model = { layers: 1, hidden: 16, heads: 4, kvHeads: 2, headDim: 4, ffn: 24 };
const workload = { mode: "serving", batch: 2, inputTokens: 7, outputTokens: 4 } as const;

type Change = Omit<Partial<PlanFile>, "workload"> & { workload?: Partial<PlanFile["workload"]> };

function planOf(gpus: number, more: Change): Plan {
  const { plan } = normalise({
    name: "served",
    hardware: { gpus },
    model,
    ...more,
    workload: { ...workload, ...more.workload },
  });
  if (plan === undefined) throw new Error("no plan");
  return plan;
}

const plans = [
  [
    "unsharded",
    "experts of two data ranks, greedy tokens, f16",
    planOf(2, {
      model: { ...model, vocabulary: 30, moe: { experts: 4, topK: 2, ffn: 8 } },
      parallel: { data: 2, expert: 2 },
      workload: { dtype: "f16", prefillChunk: 3, pageTokens: 2, sampling: {} },
    }),
  ],
  [
    "oracle",
    "tensor ranks, caches in f16",
    planOf(2, { parallel: { tensor: 2 }, workload: { cacheDtype: "f16" } }),
  ],
  [
    "oracle",
    "normalized heads with rotary positions, windows and sinks, on two pipelined tensor groups",
    planOf(4, {
      model: {
        ...model,
        layers: 4,
        vocabulary: 30,
        positions: { kind: "rotary", localBase: 100, layersWithout: [1] },
        qkNorm: true,
        biases: ["qkv"],
        sinks: true,
        slidingWindow: { tokens: 4, layers: [0, 2] },
      },
      parallel: { tensor: 2, pipeline: 2 },
      workload: { prefillChunk: 3, pageTokens: 2 },
    }),
  ],
  [
    "oracle",
    "learned positions, capped scores in chunks, with experts on both ranks, drawn tokens, f16",
    planOf(2, {
      model: {
        ...model,
        vocabulary: 30,
        moe: { experts: 4, topK: 2, ffn: 8 },
        positions: { kind: "learned", count: 12, offset: 2 },
        attentionSoftcap: 1.5,
        attentionScale: 0.8,
        chunkedAttention: { tokens: 4, layers: [0] },
      },
      parallel: { tensor: 2, expert: 2 },
      workload: {
        dtype: "f16",
        prefillChunk: 3,
        pageTokens: 4,
        sampling: { temperature: 0.8, topK: 5, topP: 0.9 },
      },
    }),
  ],
  [
    "oracle",
    "latents on tensor ranks, prompts in chunks, in f16",
    planOf(2, {
      model: {
        ...model,
        kvHeads: 4,
        headDim: 8,
        positions: { kind: "rotary", interleaved: true },
        latent: { queryRank: 12, keyValueRank: 8, rotaryDim: 4, valueDim: 12 },
      },
      parallel: { tensor: 2 },
      workload: { dtype: "f16", prefillChunk: 3, pageTokens: 4 },
    }),
  ],
  [
    "oracle",
    "slopes, a norm over all heads",
    planOf(2, {
      model: { ...model, positions: { kind: "alibi" }, qkNorm: "all-heads" },
      parallel: { tensor: 2 },
      workload: { prefillChunk: 3, pageTokens: 4, cacheDtype: "f16" },
    }),
  ],
] as const;

describeOnAdapter("a run that serves", () => {
  test("times every token, and its file gives the same figures", async () => {
    const plan = planOf(1, {
      model: { ...model, vocabulary: 30 },
      workload: { requests: 3, pageTokens: 3, prefillChunk: 4, sampling: {} },
    });
    const result = await runPlan(plan, {
      adapter,
      samples: 4,
      warmup: 0,
      tune: false,
      contexts: [5, 67],
    });
    expect(result.outcome).toEqual({ state: "complete" });
    expect(result.check?.error).toBeLessThan(1e-5);
    expect(result.memory.map(({ allocatedBytes }) => allocatedBytes)).toEqual(
      result.estimate.ranks.map(({ memoryBytes }) => memoryBytes),
    );
    const [round] = result.served ?? [];
    expect(round?.tokenMs.map((tokens) => tokens.length)).toEqual([4, 4, 4]);
    for (const tokens of round?.tokenMs ?? []) {
      expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
    }
    expect(result.samples.length).toBeGreaterThanOrEqual(4);
    expect(result.metrics.serving?.ttftMs.mean.value).toBeGreaterThan(0);
    const curve = result.metrics.decodeCurve ?? [];
    expect(curve.map(({ context, stepMs }) => [context, stepMs.unit])).toEqual([
      [5, "ms"],
      [67, "ms"],
    ]);
    expect(parseResult(textOfResult(result), "served.json", plan).metrics).toEqual(result.metrics);
  }, 300_000);

  test.each(shareOf(plans))(
    "is right by %s: %s",
    async (check, _, plan) => {
      const { outcome, check: found } = await runPlan(plan, { adapter, numericsOnly: true, check });
      expect(outcome).toEqual({ state: "complete" });
      expect(found?.values).toBeGreaterThan(0);
      expect(found?.error).toBeLessThanOrEqual(found?.tolerance ?? 0);
    },
    300_000,
  );
});
