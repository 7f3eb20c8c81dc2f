// Published figures of real systems: what is true is not accused.

import { describe, expect, test } from "vitest";
import { inspect } from "../../src/check/check_plan.ts";
import { parsePlan } from "../../src/plan/load.ts";
import type { Plan } from "../../src/plan/plan.ts";

type Written = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

function planOf(written: Written): Plan {
  const { plan, diagnostics } = parsePlan(
    JSON.stringify({ name: "published", ...written }),
    "plan.json",
  );
  if (plan === undefined) throw new Error(JSON.stringify(diagnostics));
  return plan;
}

function said(written: Written) {
  const { diagnostics, verdicts = [], estimate } = inspect(planOf(written));
  return {
    /** What is wrong with the plan or its claims. */
    accusations: diagnostics.filter(
      ({ code, severity }) =>
        severity === "error" || (severity === "warning" && code.startsWith("claim-")),
    ),
    refuted: verdicts.filter(({ judgement }) => judgement === "refuted"),
    verdict: (claim: string) => verdicts.find((each) => each.claim === claim),
    memory: estimate?.memory ?? [],
  };
}

function changed(written: Written, part: string, change: Record<string, unknown>): Written {
  return {
    ...written,
    [part]: { ...written[part], ...change },
  };
}

/** The Llama 3 Herd of Models (2024), table 4: 16,384 H100, 400 TFLOP/s per GPU, MFU 41 %. */
const llama3: Written = {
  hardware: { gpus: 16_384, memoryPerGpu: "80GB", peakFlops: "989TFLOPS" },
  workload: {
    mode: "training",
    batch: 2048,
    microBatches: 16,
    sequence: 8192,
    dtype: "f16",
    schedule: "1f1b",
  },
  model: {
    layers: 126,
    hidden: 16_384,
    heads: 128,
    kvHeads: 8,
    ffn: 53_248,
    gated: true,
    vocabulary: 128_256,
  },
  parallel: {
    tensor: 8,
    pipeline: 16,
    data: 128,
    sequence: true,
    layersPerStage: [7, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 7],
  },
  claims: { computeUtilization: 0.41, tokensPerSecond: 2_691_306 },
};

/** llm-foundry's table of throughputs: MPT 70B on 512 H100, MFU 41.25 %, HFU 55.0 %. */
const mpt70b: Written = {
  hardware: { gpus: 512, memoryPerGpu: "80GB", peakFlops: "989.5TFLOPS" },
  workload: {
    mode: "training",
    batch: 4096,
    sequence: 2048,
    dtype: "f16",
    recompute: { granularity: "full", method: "uniform", layers: 1 },
  },
  model: {
    layers: 80,
    hidden: 8192,
    heads: 64,
    ffn: 32_768,
    norm: "layer",
    vocabulary: 50_368,
    tiedEmbeddings: true,
  },
  parallel: { data: 512 },
  claims: { computeUtilization: 0.4125, tokensPerSecond: 515_636 },
};

/** torchtitan's table: Llama 3 8B on 8 GPUs with FSDP, 5,762 tokens/s per GPU, 33 %, 82.4 GiB. */
const llama8b: Written = {
  hardware: { gpus: 8, memoryPerGpu: "96GB", peakFlops: "989TFLOPS" },
  workload: {
    mode: "training",
    batch: 16,
    sequence: 8192,
    dtype: "f16",
    recompute: { granularity: "selective" },
  },
  model: {
    layers: 32,
    hidden: 4096,
    heads: 32,
    kvHeads: 8,
    ffn: 14_336,
    gated: true,
    vocabulary: 128_256,
  },
  parallel: { data: 8 },
  claims: { computeUtilization: 0.33, tokensPerSecond: 46_096, memoryUtilization: 0.9216 },
};

/** Narayanan et al. 2021, table 1: a trillion parameters on 3,072 A100, 163 TFLOP/s per GPU, 52 %. */
const trillion: Written = {
  hardware: { gpus: 3072, memoryPerGpu: "80GB", peakFlops: "312TFLOPS" },
  workload: {
    mode: "training",
    batch: 3072,
    microBatches: 512,
    sequence: 2048,
    dtype: "f16",
    schedule: "1f1b",
    recompute: { granularity: "full", method: "uniform", layers: 1 },
  },
  model: {
    layers: 128,
    hidden: 25_600,
    heads: 160,
    ffn: 102_400,
    norm: "layer",
    vocabulary: 51_200,
    tiedEmbeddings: true,
    positions: { kind: "learned", count: 2048 },
  },
  parallel: { tensor: 8, pipeline: 64, data: 6 },
  claims: { computeUtilization: 0.52, tokensPerSecond: 61_302 },
};

/** DeepSeek-V3 (2024), section 3.4.1: prefilling on 32 GPUs, each with 8 experts and a redundant one. */
const prefill: Written = {
  hardware: { gpus: 32, memoryPerGpu: "80GB", peakFlops: "989TFLOPS" },
  workload: { batch: 32, sequence: 1024, dtype: "f16" },
  model: {
    layers: 61,
    hidden: 7168,
    heads: 128,
    headDim: 128,
    ffn: 18_432,
    gated: true,
    vocabulary: 129_280,
    moe: { experts: 256, topK: 8, ffn: 2048, denseLayers: [0, 1, 2], sharedFfn: 2048 },
    positions: { kind: "rotary" },
    latent: { queryRank: 1536, keyValueRank: 512, rotaryDim: 64, valueDim: 128 },
  },
  parallel: { data: 32, expert: 32 },
  claims: { tokensPerSecond: 294_800, expertsPerGpu: 9 },
};

describe.each([
  ["Llama 3 405B on 16,384 GPUs", llama3],
  ["MPT 70B on 512", mpt70b],
  ["Llama 3 8B on 8", llama8b],
  ["a trillion parameters on 3,072", trillion],
  ["DeepSeek-V3 on 32", prefill],
])("%s", (_name, written) => {
  test("nothing of it is accused", () => {
    const { accusations, refuted } = said(written);
    expect(accusations).toEqual([]);
    expect(refuted).toEqual([]);
  });
});

test.each([
  ["Llama 3 405B", llama3, 0.419],
  ["MPT 70B", mpt70b, 0.404],
  ["Llama 3 8B", llama8b, 0.3],
])("%s: MFU and throughput agree", (_name, written, own) => {
  const verdict = said(written).verdict("mfuArithmetic");
  expect(verdict?.judgement).toBe("confirmed");
  expect(verdict?.found?.value).toBeCloseTo(own, 3);
});

test.each([
  ["Llama 3 405B", llama3],
  ["MPT 70B", mpt70b],
  ["Llama 3 8B", llama8b],
])("%s: twice the utilization from the same throughput is refuted", (_name, written) => {
  const { computeUtilization } = written["claims"] ?? {};
  const twice = changed(written, "claims", { computeUtilization: 2 * Number(computeUtilization) });
  expect(said(twice).verdict("mfuArithmetic")?.judgement).toBe("refuted");
});

test("MPT 70B: with recomputation counted it is the published HFU", () => {
  const { computeUtilization: _, ...claims } = mpt70b["claims"] ?? {};
  const hfu = { ...mpt70b, claims: { ...claims, hardwareFlopsUtilization: 0.55 } };
  expect(said(hfu).verdict("hfuArithmetic")?.judgement).toBe("confirmed");
});

test("a trillion parameters: the published share counts recomputation, and is told so", () => {
  const verdict = said(trillion).verdict("mfuArithmetic");
  expect(verdict?.judgement).toBe("ambiguous");
  expect(verdict?.reason).toContain("52 % is its HFU, with recomputation counted");
});

test("sharded over all data replicas 70 B fit, and said so they need what that leaves", () => {
  const sharded = said(changed(mpt70b, "parallel", { zero: 3 }));
  expect(sharded.accusations).toEqual([]);
  expect(sharded.memory[0]?.total).toBeLessThan(80e9);
  const unsharded = said(changed(mpt70b, "parallel", { zero: 0 }));
  expect(unsharded.accusations.map(({ code }) => code)).toEqual(["memory-exceeded"]);
});

test("Llama 3 8B: the measured memory is open, as nothing here holds gradients", () => {
  expect(said(llama8b).verdict("memoryUtilization")?.judgement).toBe("untestable");
});

test("DeepSeek-V3: nine experts per GPU need 32 redundant ones, and given these they are confirmed", () => {
  expect(said(prefill).verdict("expertsPerGpu")).toMatchObject({
    judgement: "untestable",
    needs: [expect.objectContaining({ what: "model.moe.redundantExperts", value: 32 })],
  });
  const moe = { ...(prefill["model"]?.["moe"] as object), redundantExperts: 32 };
  const given = said(changed(prefill, "model", { moe }));
  expect(given.verdict("expertsPerGpu")?.judgement).toBe("confirmed");
});

/** Korthikanti et al. 2022, section 4.2: what tensor parallelism repeats on all of its ranks is divided too. */
test("sequence parallelism keeps fewer activations, and the same of everything else", () => {
  const plan = (sequence: boolean): Written => ({
    hardware: { gpus: 8, memoryPerGpu: "80GB" },
    workload: { mode: "training", batch: 1, sequence: 8192, dtype: "f16" },
    model: { layers: 8, hidden: 16_384, heads: 128, kvHeads: 8, ffn: 53_248, gated: true },
    parallel: { tensor: 8, sequence },
  });
  const [repeated, divided] = [false, true].map((sequence) => said(plan(sequence)));
  expect(divided?.accusations).toEqual([]);
  const [before, after] = [repeated?.memory[0], divided?.memory[0]];
  /** Outputs of two norms and two sums with the residual, per layer. */
  const inRows = 8 * 4 * 8192 * 16_384 * 2;
  expect((before?.activations ?? 0) - (after?.activations ?? 0)).toBeGreaterThan((inRows * 7) / 8);
  expect(after?.activations).toBeLessThan(0.6 * (before?.activations ?? 0));
  expect(after).toMatchObject({ weights: before?.weights, optimizer: before?.optimizer });
});

test("context parallelism divides the activations of long sequences", () => {
  const plan = (context: number): Written => ({
    hardware: { gpus: context, memoryPerGpu: "80GB" },
    workload: { mode: "training", batch: 1, sequence: 131_072, dtype: "f16" },
    model: { layers: 32, hidden: 4096, heads: 32, kvHeads: 8, ffn: 14_336, gated: true },
    parallel: { context },
  });
  expect(said(plan(8)).accusations).toEqual([]);
  const [whole, divided] = [1, 8].map((context) => said(plan(context)).memory[0]?.activations ?? 0);
  expect((divided ?? 0) / (whole ?? 1)).toBeGreaterThanOrEqual(1 / 8);
  // Keys and values of the other ranks come besides.
  expect((divided ?? 0) / (whole ?? 1)).toBeLessThan(1 / 5);
});
