// Plans that people reported to be judged wrongly, in small: each with what is right.

import { describe, expect, test } from "vitest";
import { inspect } from "../../src/check/check_plan.ts";
import { parsePlan } from "../../src/plan/load.ts";

interface Said {
  /** `<severity> <code>` of all findings. */
  readonly codes: readonly string[];
  readonly text: string;
  /** Judgements by claim or relation. */
  readonly judged: Readonly<Record<string, string>>;
  readonly inspected: ReturnType<typeof inspect>;
}

function said(text: string): Said {
  const { plan, document, diagnostics } = parsePlan(text, "plan.yaml");
  if (plan === undefined) throw new Error(JSON.stringify(diagnostics));
  const inspected = inspect(plan, document);
  const all = [...diagnostics, ...inspected.diagnostics];
  return {
    codes: all.map(({ severity, code }) => `${severity} ${code}`),
    text: all.map(({ message }) => message).join("\n"),
    judged: Object.fromEntries(
      (inspected.verdicts ?? []).map(({ claim, judgement }) => [claim, judgement]),
    ),
    inspected,
  };
}

function fullest({ inspected }: Said) {
  const [first, ...others] = inspected.estimate?.memory ?? [];
  if (first === undefined) throw new Error("it must be countable");
  return others.reduce((most, need) => (need.total > most.total ? need : most), first);
}

function refusals({ codes }: Said): string[] {
  return codes.filter((code) => code.startsWith("error") || code.endsWith("claim-refuted"));
}

describe("mixtures of experts", () => {
  test("without an expert degree every data replica holds all experts", () => {
    const plan = said(`
name: moe-dp
hardware: { gpus: 4 }
workload: { batch: 4, sequence: 64 }
model: { layers: 1, hidden: 64, heads: 4, moe: { experts: 8, topK: 2, ffn: 64 } }
parallel: { data: 4 }
claims: { expertsPerGpu: 8, expertVariance: 0 }
`);
    expect(plan.judged).toEqual({ expertsPerGpu: "confirmed", expertVariance: "confirmed" });
    expect(plan.text).toContain("all 8 experts on every GPU, in 4 groups");
    const { ranks, collectives } = plan.inspected.estimate ?? { ranks: [], collectives: [] };
    expect(new Set(ranks.map(({ flops }) => flops)).size).toBe(1);
    expect(collectives).toEqual([]);
  });

  test("an expert degree below the data degree forms several groups, and every GPU has its share", () => {
    const plan = (expertsPerGpu: number) =>
      said(`
name: ep-lt-dp
hardware: { gpus: 4, memoryPerGpu: 100MB }
workload: { batch: 4, sequence: 64, dtype: f32 }
model: { layers: 1, hidden: 64, heads: 4, ffn: 64, moe: { experts: 8, topK: 2, ffn: 64 } }
parallel: { data: 4, expert: 2 }
claims: { expertsPerGpu: ${expertsPerGpu}, expertVariance: 0 }
`);
    expect(plan(4).judged).toEqual({ expertsPerGpu: "confirmed", expertVariance: "confirmed" });
    expect(plan(4).text).toContain("8 experts over 2 GPUs: 4 per GPU, in 2 groups");
    expect(plan(4).text).not.toContain("idle");
    expect(plan(2).judged).toMatchObject({ expertsPerGpu: "refuted" });
    const weights = plan(4).inspected.estimate?.memory.map((need) => need.weights) ?? [];
    expect(new Set(weights).size).toBe(1);
  });

  test("without an expert degree tensor ranks slice every expert: 47 B parameters fit on eight GPUs", () => {
    const plan = said(`
name: moe-tp
hardware: { gpus: 8, memoryPerGpu: 80GB }
workload: { batch: 1, sequence: 2048, dtype: f16 }
model: { layers: 32, hidden: 4096, heads: 32, kvHeads: 8, headDim: 128, gated: true, ffn: 14336, vocabulary: 32000, moe: { experts: 8, topK: 2, ffn: 14336 } }
parallel: { tensor: 8 }
`);
    expect(refusals(plan)).toEqual([]);
    expect(fullest(plan).weights / 1e9).toBeCloseTo((2 * 46.7) / 8, 1);
    expect(plan.text).toContain("each sliced over 8 GPUs");
  });
});

describe("memory", () => {
  const context = (memoryUtilization: number, parallel = "{ tensor: 2, context: 2 }") =>
    said(`
name: mem-context
hardware: { gpus: 4, memoryPerGpu: 100MB }
workload: { batch: 1, sequence: 4096, dtype: f16 }
model: { layers: 2, hidden: 256, heads: 4, ffn: 512 }
parallel: ${parallel}
claims: { memoryUtilization: ${memoryUtilization} }
`);

  test.each([0.2, 0.27, 0.535])(
    "of activations that other engines hold otherwise, a share of %d is open",
    (share) => {
      expect(context(share).judged).toEqual({ memoryUtilization: "untestable" });
      expect(refusals(context(share))).toEqual([]);
    },
  );

  test("context parallelism divides the activations, and adds the keys and values of the others", () => {
    const [divided = 0, whole = 0] = ["{ tensor: 2, context: 2 }", "{ tensor: 2 }"].map(
      (parallel) => fullest(context(0.27, parallel)).activations,
    );
    /** Of two layers, on each rank of a tensor group: 4096 tokens, two heads of 64, in f16. */
    const keysAndValues = 2 * (2 * 4096 * 128 * 2);
    expect(divided).toBeGreaterThan(whole / 2);
    // All of them, and once more its own.
    expect(divided).toBeLessThanOrEqual(whole / 2 + 1.5 * keysAndValues);
  });

  const cached = (memoryAvailable: string) =>
    said(`
name: mem-kv
hardware: { gpus: 1, memoryPerGpu: 8GB }
workload: { batch: 64, microBatches: 64, sequence: 4096, dtype: f16 }
model: { layers: 4, hidden: 1024, heads: 16, ffn: 4096 }
claims: { memoryAvailable: ${memoryAvailable} }
`);

  test.each(["7GB", "7.49GB", "3.7GB"])("beside a KV cache of 4.29 GB %s are not left", (claim) => {
    expect(cached(claim).judged["memoryAvailable"]).not.toBe("confirmed");
    expect(cached(claim).text).toMatch(/KV cache 4\.29 GB; 3\.5\d* GB are left/);
  });

  test("what any run must hold refutes, what only ours holds leaves open", () => {
    expect(cached("7GB").judged).toEqual({ memoryAvailable: "refuted" });
    expect(cached("3.58GB").judged).toEqual({ memoryAvailable: "ambiguous" });
    expect(cached("3.5GB").judged).toEqual({ memoryAvailable: "confirmed" });
  });

  test("the check says of memory what the program allocates", () => {
    const plan = said(`
name: mem-two-models
hardware: { gpus: 2, memoryPerGpu: 3.2MB }
workload: { batch: 4, sequence: 1024 }
model: { layers: 1, hidden: 32, heads: 2, moe: { experts: 42, topK: 1, ffn: 32 } }
parallel: { tensor: 2, expert: 2 }
`);
    expect(plan.codes).toContain("warning memory-exceeded-as-planned");
    const { estimate } = plan.inspected;
    const { total, keyValueCache } = fullest(plan);
    expect(total - keyValueCache).toBe(
      Math.max(...(estimate?.ranks ?? []).map(({ memoryBytes }) => memoryBytes)),
    );
    expect(total).toBeGreaterThan(1.18 * 3.2e6);
  });
});

test("tokens per second have one tolerance, which is printed", () => {
  const plan = (tokensPerSecond: number) =>
    said(`
name: token-tolerance
hardware: { gpus: 1, memoryPerGpu: 64GB }
workload: { batch: 1, sequence: 1024 }
model: { layers: 1, hidden: 64, heads: 2, ffn: 64 }
claims: { samplesPerSecond: 312, tokensPerSecond: ${tokensPerSecond} }
`);
  // 0.78 % less than 312 · 1024, and 0.46 % less.
  expect(plan(317_000).judged["tokenArithmetic"]).toBe("refuted");
  expect(plan(317_000).codes).toContain("warning claim-refuted");
  expect(plan(317_000).text).toContain("tolerance 0.5 %");
  expect(plan(318_000).judged["tokenArithmetic"]).toBe("confirmed");
  expect(plan(318_000).codes).toContain("info claim-confirmed");
});

test("nothing that leans on assumed values is confirmed, and each verdict names them", () => {
  const plan = said(`
name: assumed-not-said
hardware: { gpus: 2, memoryPerGpu: 64GB }
workload: { batch: 4, sequence: 1024 }
model: { layers: 1, hidden: 32, heads: 2, moe: { experts: 42, topK: 1, ffn: 32 } }
parallel: { tensor: 2, expert: 2 }
claims: { samplesPerSecond: 312, tokensPerSecond: 319488, memoryUtilization: 0.0001, memoryAvailable: 1GB, expertsPerGpu: 21, expertVariance: 0, tensorGroupSize: 2 }
assumed: [workload.sequence, model.moe.experts, parallel.expert, parallel.tensor, hardware.memoryPerGpu, hardware.gpus]
`);
  expect(new Set(Object.values(plan.judged))).toEqual(new Set(["untestable"]));
  for (const { leansOn, reason, needs } of plan.inspected.verdicts ?? []) {
    expect(leansOn.length).toBeGreaterThan(0);
    expect(needs.length > 0 || leansOn.every((path) => reason.includes(path))).toBe(true);
  }
  const leaning = Object.fromEntries(
    (plan.inspected.verdicts ?? []).map(({ claim, leansOn }) => [claim, leansOn]),
  );
  expect(leaning).toMatchObject({
    tokenArithmetic: ["workload.sequence"],
    expertsPerGpu: ["model.moe.experts", "parallel.expert"],
    tensorGroupSize: ["parallel.tensor"],
  });
});

test("what an import left out makes speed and memory untestable, whatever a run finds", () => {
  const plan = said(`
name: runnable-notes
hardware: { gpus: 1, memoryPerGpu: 10MB }
workload: { mode: inference, batch: 2, sequence: 32, dtype: f16 }
model: { layers: 2, hidden: 64, heads: 4, kvHeads: 2, ffn: 128, gated: true, norm: rms, vocabulary: 512 }
notes:
  - { code: quantization-not-expressible, message: 'weights are quantized ("gptq")' }
  - { code: rotary-positions-left-out, message: "left out of the plan's model: rotary position embeddings" }
  - { code: biases-left-out, message: "left out of the plan's model: linear layers with biases" }
claims: { samplesPerSecond: 5, latencyPerLayerMs: 1, memoryUtilization: 0.05 }
`);
  expect(plan.judged).toMatchObject({
    samplesPerSecond: "untestable",
    latencyPerLayerMs: "untestable",
    memoryUtilization: "untestable",
  });
  const memory = plan.inspected.verdicts?.find(({ claim }) => claim === "memoryUtilization");
  expect(memory?.reason).toContain('the import left out: weights are quantized ("gptq")');
});

test("context ranks are a valid plan, and run", () => {
  const plan = said(`
name: cp4
hardware: { gpus: 4 }
workload: { batch: 1, sequence: 4096 }
model: { layers: 2, hidden: 64, heads: 4, ffn: 64 }
parallel: { context: 4 }
`);
  expect(refusals(plan)).toEqual([]);
  expect(plan.codes).not.toContain("warning gpu-unused");
  expect(plan.codes).not.toContain("warning checked-but-not-run");
});

describe("bubbles", () => {
  test("of stages that share their GPUs no bound is stated", () => {
    const plan = said(`
name: bubble-shared
hardware: { gpus: 2 }
workload: { batch: 256, microBatches: 1 }
stages:
  - name: up
    layers: [{op: linear, in: 1024, out: 2048, activation: relu, parallel: {kind: column, splitDim: 1, gpus: [0, 1]}}]
  - name: down
    layers: [{op: linear, in: 2048, out: 1024, parallel: {kind: row, splitDim: 0, gpus: [0, 1]}}]
  - name: mean
    layers: [{op: aggregate, over: batch, parallel: {kind: replicated, gpus: [1]}}]
communications: [{name: sum, op: all-reduce, from: [0, 1], to: [1], after: down}]
claims: { gpuUtilization: 0.6 }
`);
    expect(plan.judged).toEqual({ gpuUtilization: "untestable" });
    expect(plan.text + JSON.stringify(plan.inspected.verdicts)).not.toMatch(/33\.3|at most 33/);
  });

  test("eight stages of eight chunks are no 64 stages", () => {
    const plan = (gpuUtilization: number) =>
      said(`
name: vpp-claim
hardware: { gpus: 8, peakFlops: 989TFLOPS }
workload: { mode: training, batch: 8, microBatches: 8, sequence: 2048, dtype: f16, schedule: 1f1b }
model: { layers: 64, hidden: 1024, heads: 16, ffn: 4096, vocabulary: 51200 }
parallel: { pipeline: 8, virtualStages: 8 }
claims: { gpuUtilization: ${gpuUtilization} }
`);
    expect(plan(0.7).judged).toEqual({ gpuUtilization: "untestable" });
    expect(plan(0.7).text).toContain("8 stages of 8 chunks with 8 micro-batches");
    expect(plan(0.7).text).not.toContain("64 stages");
    // 64 / (64 + 7) = 90.1 %.
    expect(plan(0.93).judged).toEqual({ gpuUtilization: "refuted" });
  });
});
