// What the check says of claims without a run: both sides of every bound and of every relation between claims.

import { expect, test } from "vitest";
import { sampleFlops } from "../../src/claims/flops.ts";
import { estimatePlan } from "../../src/program/estimate.ts";
import { found, infosOf, warningsOf, withDegrees, withStages } from "../plan/checked.ts";
import { judgementOf, planFrom, verdictOf } from "./judged.ts";

/** Batch 4 in one step of two blocks of 10 ms: 200 samples/s, and 2 % of tolerance. */
function speed(samplesPerSecond: number, more = {}) {
  return withDegrees({ claims: { latencyPerLayerMs: 10, samplesPerSecond }, ...more });
}

test("latency × layers bounds the throughput of one batch", () => {
  expect(judgementOf(speed(200), "latencyArithmetic")).toBe("confirmed");
  expect(infosOf(speed(200))).toContain("claim-confirmed");
  expect(warningsOf(speed(203.9))).toEqual([]);
  expect(warningsOf(speed(204.1))).toEqual(["claim-refuted"]);
  const tokens = withDegrees({
    workload: { sequence: 8 },
    claims: { latencyPerLayerMs: 10, tokensPerSecond: 3200 },
  });
  expect(judgementOf(tokens, "latencyArithmetic")).toBe("refuted");
});

test("in a pipeline every stage takes the latencies of its own blocks, once per micro-batch", () => {
  const more = {
    hardware: { gpus: 4 },
    workload: { batch: 4, microBatches: 4 },
    parallel: { tensor: 2, pipeline: 2, expert: 2 },
  };
  // One block per stage, four turns of 10 ms for four samples.
  expect(warningsOf(speed(101.9, more))).toEqual([]);
  expect(warningsOf(speed(102.1, more))).toEqual(["claim-refuted"]);
});

test("GPUs that have a part of each block alone turn to the next micro-batch meanwhile", () => {
  const part = (op: object, gpu: number) => ({ ...op, parallel: { kind: "tensor", gpus: [gpu] } });
  const blocks = (mlpOn: number) => ({
    name: "parts",
    hardware: { gpus: 2 },
    workload: { batch: 8, microBatches: 8, sequence: 4 },
    stages: [
      {
        name: "block",
        layers: [
          part({ op: "attention", hidden: 16, heads: 2 }, 0),
          part({ op: "mlp", hidden: 16, ffn: 32 }, mlpOn),
        ],
      },
    ],
    claims: { latencyPerLayerMs: 2, samplesPerSecond: 800 },
  });
  expect(judgementOf(blocks(0), "latencyArithmetic")).toBe("refuted");
  expect(judgementOf(blocks(1), "latencyArithmetic")).toBeUndefined();
});

test("the finding names both figures and where they stand", () => {
  expect(found(speed(400), "claim-refuted")).toMatchObject({
    path: ["claims", "latencyPerLayerMs"],
    message: expect.stringContaining(
      "10 ms × 2 block times = 20 ms at least per step of 4 samples",
    ),
    hint: "mend the claim, or what it leans on",
  });
  expect(found(speed(400), "claim-refuted")?.message).toContain("at most 200 samples/s");
});

test("leaning on an assumed batch it is open, and tells which batch would do", () => {
  const written = speed(400, { assumed: ["workload.batch"] });
  expect(warningsOf(written)).toEqual([]);
  expect(verdictOf(written, "latencyArithmetic")).toMatchObject({
    judgement: "untestable",
    reason: expect.stringContaining("which leans on workload.batch"),
    needs: [expect.objectContaining({ what: "workload.batch", relation: "at least", value: 8 })],
  });
});

const peakFlops = 1e9;
function flopsOf(written: unknown) {
  const plan = planFrom(written);
  return sampleFlops({ plan, estimate: estimatePlan(plan) });
}
/** Samples/s of two GPUs at their peak. */
const most = (2 * peakFlops) / flopsOf(withDegrees({})).least;
function peak(samplesPerSecond: number, claims = {}, more = {}) {
  return withDegrees({ hardware: { peakFlops }, claims: { samplesPerSecond, ...claims }, ...more });
}

test("no throughput is more than 2 % above the peak of all GPUs", () => {
  expect(warningsOf(peak(most * 1.019))).toEqual(["claim-needs-absurd"]);
  expect(infosOf(peak(most * 0.999))).toContain("claims-open");
  expect(warningsOf(peak(most * 0.999))).toEqual([]);
  expect(warningsOf(peak(most * 1.021))).toEqual(["claim-refuted"]);
  expect(verdictOf(peak(most * 1.021), "samplesPerSecond")).toMatchObject({
    judgement: "refuted",
    provenance: "estimated",
    reason: expect.stringContaining("no run of the plan can reach it (peak)"),
  });
});

test("above a peak that a datasheet prints GPUs may clock by 10 %", () => {
  const named = (samplesPerSecond: number) =>
    withDegrees({
      hardware: { gpu: "H100-SXM" },
      workload: { dtype: "f16" },
      claims: { samplesPerSecond },
    });
  const printed = planFrom(named(1)).hardware.peakFlops ?? 0;
  const atPeak = (most * printed) / peakFlops;
  expect(judgementOf(named(atPeak * 1.09), "samplesPerSecond")).toBe("untestable");
  expect(judgementOf(named(atPeak * 1.11), "samplesPerSecond")).toBe("refuted");
  // f32 products may run as TF32, far above the f32 that the datasheet prints.
  const f32 = withDegrees({
    hardware: { gpu: "H100-SXM" },
    claims: { samplesPerSecond: atPeak * 1.11 },
  });
  expect(judgementOf(f32, "samplesPerSecond")).toBe("untestable");
});

test("training does three times the arithmetic", () => {
  const training = (samplesPerSecond: number) =>
    judgementOf(peak(samplesPerSecond, {}, { workload: { mode: "training" } }), "samplesPerSecond");
  expect(training((most / 3) * 1.019)).toBe("untestable");
  expect(training((most / 3) * 1.021)).toBe("refuted");
});

test("without a peak a throughput tells which peak it needs", () => {
  const written = withDegrees({ claims: { samplesPerSecond: most } });
  const [need] = verdictOf(written, "samplesPerSecond")?.needs ?? [];
  expect(need).toMatchObject({ what: "hardware.peakFlops", relation: "at least", unit: "FLOP/s" });
  expect(need?.value).toBeCloseTo(peakFlops, 0);
  expect(need).not.toHaveProperty("absurd");
});

test("a peak that no GPU comes near is called absurd", () => {
  const written = withDegrees({ claims: { samplesPerSecond: most * 1e9 } });
  expect(warningsOf(written)).toEqual(["claim-needs-absurd"]);
  expect(found(written, "claim-needs-absurd")?.path).toEqual(["claims", "samplesPerSecond"]);
});

test("compute utilization is the share of the peak that the throughput needs", () => {
  const long = { workload: { sequence: 64 } };
  const { perParameter, wholeAttention } = flopsOf(withDegrees(long));
  const [withoutAttention] = perParameter;
  expect(wholeAttention).toBeGreaterThan(1.1 * withoutAttention);
  const claiming = (computeUtilization: number) => {
    const rate = 0.5 * ((2 * peakFlops) / wholeAttention);
    return judgementOf(peak(rate, { computeUtilization }, long), "mfuArithmetic");
  };
  // Counted with whole attention it is 50 %, without less: any share between is somebody's MFU.
  const low = (0.5 * withoutAttention) / wholeAttention;
  expect(claiming(0.5 * 1.019)).toBe("confirmed");
  expect(claiming(0.5 * 1.021)).toBe("refuted");
  expect(claiming(low * 0.981)).toBe("confirmed");
  expect(claiming(low * 0.979)).toBe("refuted");
});

test("what agrees only with recomputation counted is an HFU, and called so", () => {
  const recompute = { granularity: "full", method: "uniform", layers: 1 };
  const training = { workload: { mode: "training", recompute } };
  const { model, recomputed } = flopsOf(withDegrees(training));
  expect(recomputed / model).toBeCloseTo(1 / 3, 12);
  const rate = 0.3 * ((2 * peakFlops) / model);
  expect(judgementOf(peak(rate, { computeUtilization: 0.3 }, training), "mfuArithmetic")).toBe(
    "confirmed",
  );
  const counted = peak(rate, { computeUtilization: 0.4 }, training);
  expect(verdictOf(counted, "mfuArithmetic")).toMatchObject({
    judgement: "ambiguous",
    reason: expect.stringContaining("say hardwareFlopsUtilization"),
  });
  const said = peak(rate, { hardwareFlopsUtilization: 0.4 }, training);
  expect(judgementOf(said, "hfuArithmetic")).toBe("confirmed");
  const less = peak(rate, { hardwareFlopsUtilization: 0.3 }, training);
  expect(judgementOf(less, "hfuArithmetic")).toBe("refuted");
});

test("the block method computes only so many blocks again", () => {
  const again = (method: string) => ({
    workload: { mode: "training", recompute: { granularity: "full", method, layers: 1 } },
  });
  // One block of two, a sixth of a step.
  const block = flopsOf(withDegrees(again("block")));
  expect(block.recomputed / block.model).toBeCloseTo(1 / 6, 12);
  const rate = 0.3 * ((2 * peakFlops) / block.model);
  const hfu = (share: number, method: string) =>
    judgementOf(peak(rate, { hardwareFlopsUtilization: share }, again(method)), "hfuArithmetic");
  expect(hfu(0.35, "block")).toBe("confirmed");
  expect(hfu(0.32, "block")).toBe("refuted");
  expect(hfu(0.4, "block")).toBe("refuted");
  expect(hfu(0.4, "uniform")).toBe("confirmed");
});

test("HFU may count attention twice where it alone is computed again, and what is not said may be done", () => {
  const selective = { workload: { mode: "training", recompute: { granularity: "selective" } } };
  const { wholeAttention, withoutAttention } = flopsOf(withDegrees(selective));
  const rate = (0.3 * 2 * peakFlops) / wholeAttention;
  const hfu = (share: number, more: object) =>
    judgementOf(peak(rate, { hardwareFlopsUtilization: share }, more), "hfuArithmetic");
  const twice = 0.3 * (2 - withoutAttention / wholeAttention);
  expect(hfu(twice * 1.019, selective)).toBe("confirmed");
  expect(hfu(twice * 1.021, selective)).toBe("refuted");
  const unsaid = { workload: { mode: "training" } };
  expect(hfu(0.4 * 1.019, unsaid)).toBe("confirmed");
  expect(hfu(0.4 * 1.021, unsaid)).toBe("refuted");
});

test.each([
  [0.293, "refuted"],
  [0.295, "confirmed"],
  [0.4, "confirmed"],
  [0.407, "confirmed"],
  [0.409, "refuted"],
])("beside an MFU of 30 %%, an HFU of %f is %s: a third at most is computed again", (hfu, is) => {
  const claims = { computeUtilization: 0.3, hardwareFlopsUtilization: hfu };
  const written = withDegrees({ workload: { mode: "training" }, claims });
  expect(judgementOf(written, "recomputeArithmetic")).toBe(is);
});

test("without a backward pass nothing is computed again", () => {
  const claims = { computeUtilization: 0.3, hardwareFlopsUtilization: 0.31 };
  expect(warningsOf(withDegrees({ claims }))).toContain("claim-refuted");
});

test("GPUs are busy for as long as their arithmetic takes, but for clocks above the datasheet's", () => {
  const busy = (gpuUtilization: number) =>
    withDegrees({ claims: { gpuUtilization, computeUtilization: 0.55 } });
  expect(judgementOf(busy(0.501), "busyArithmetic")).toBe("confirmed");
  expect(judgementOf(busy(0.499), "busyArithmetic")).toBe("refuted");
  expect(found(busy(0.499), "claim-refuted")).toMatchObject({ path: ["claims", "gpuUtilization"] });
});

function piped(claims: object, workload: object = {}, parallel: object = {}) {
  return withDegrees({
    hardware: { gpus: 4 },
    model: { layers: 4 },
    workload: { batch: 8, microBatches: 4, ...workload },
    parallel: { tensor: 2, pipeline: 2, expert: 2, ...parallel },
    claims,
  });
}

test("nobody is busier than the bubble allows, where stages have GPUs of their own", () => {
  // Two stages, four micro-batches: 4/5.
  expect(judgementOf(piped({ gpuUtilization: 0.815 }), "gpuUtilization")).toBe("untestable");
  expect(verdictOf(piped({ gpuUtilization: 0.817 }), "gpuUtilization")).toMatchObject({
    judgement: "refuted",
    reason: expect.stringContaining("m / (m + p − 1) = 80 %"),
  });
  const eight = piped({ gpuUtilization: 0.817 }, { microBatches: 8 });
  expect(judgementOf(eight, "gpuUtilization")).toBe("untestable");
});

test("chunks of layers make the bubble smaller", () => {
  // m · v / (m · v + p − 1) = 8/9.
  const chunks = (gpuUtilization: number) => piped({ gpuUtilization }, {}, { virtualStages: 2 });
  expect(judgementOf(chunks(0.906), "gpuUtilization")).toBe("untestable");
  expect(verdictOf(chunks(0.907), "gpuUtilization")).toMatchObject({
    judgement: "refuted",
    reason: expect.stringContaining("2 stages of 2 chunks with 4 micro-batches"),
  });
});

test("training without a schedule may have one without bubbles", () => {
  const training = (more: object) =>
    judgementOf(piped({ gpuUtilization: 0.9 }, { mode: "training", ...more }), "gpuUtilization");
  expect(training({})).toBe("untestable");
  expect(training({ schedule: "1f1b" })).toBe("refuted");
});

test("of stages that share GPUs the bubble's formula is no bound, only a condition", () => {
  const written = withStages({ claims: { gpuUtilization: 0.84 } });
  expect(warningsOf(written)).not.toContain("claim-refuted");
  // Three stages: m ≥ u(p − 1) / (1 − u) = 10.5.
  expect(verdictOf(written, "gpuUtilization")).toMatchObject({
    judgement: "untestable",
    needs: [
      expect.objectContaining({ what: "workload.microBatches", value: 11 }),
      expect.objectContaining({ what: "share of the FLOPs on the busiest GPU" }),
    ],
  });
});

test("the busiest GPU's share of the FLOPs bounds MFU and HFU, not busy time", () => {
  const keys = ["computeUtilization", "hardwareFlopsUtilization", "gpuUtilization"];
  const judged = (plan: typeof withStages | typeof withDegrees, share: number) =>
    keys.map((key) => judgementOf(plan({ claims: { [key]: share } }), key));
  expect(judged(withDegrees, 0.8)).toEqual(["untestable", "untestable", "untestable"]);
  expect(judged(withStages, 0.8)).toEqual(["refuted", "refuted", "untestable"]);
  expect(judged(withStages, 0.3)).toEqual(["untestable", "untestable", "untestable"]);
});

test("efficiency needs a baseline, and is not above 1", () => {
  expect(warningsOf(withDegrees({ claims: { strongScaling: 1 } }))).toEqual([
    "scaling-claim-without-baseline",
  ]);
  expect(warningsOf(withDegrees({ claims: { weakScaling: 1.01 } }))).toEqual([
    "scaling-claim-without-baseline",
    "scaling-claim-superlinear",
  ]);
});

test.each([
  ["expertVariance", 0, 0.1],
  ["expertsPerGpu", 3, 2],
  ["tensorGroupSize", 2, 3],
])("%s follows from the split", (key, right, wrong) => {
  const claiming = (value: number) => withDegrees({ claims: { [key]: value } });
  expect(judgementOf(claiming(right), key)).toBe("confirmed");
  expect(infosOf(claiming(right))).toContain("claim-confirmed");
  expect(judgementOf(claiming(wrong), key)).toBe("refuted");
  expect(warningsOf(claiming(wrong))).toEqual(["claim-refuted"]);
});

test.each(["model.moe.experts", "parallel.expert", "parallel", "model"])(
  "a split of assumed %s decides nothing, and says so",
  (path) => {
    for (const expertsPerGpu of [2, 3]) {
      const written = withDegrees({ claims: { expertsPerGpu }, assumed: [path] });
      expect(verdictOf(written, "expertsPerGpu")).toMatchObject({
        judgement: "untestable",
        leansOn: [path],
        needs: [expect.objectContaining({ what: "model.moe.experts", value: 2 * expertsPerGpu })],
      });
    }
  },
);

test("more experts than the split gives may be copies, in inference, if the plan does not count them", () => {
  const claiming = (expertsPerGpu: number, moe: object = {}, mode = "inference") =>
    verdictOf(
      withDegrees({
        claims: { expertsPerGpu },
        model: { moe: { experts: 6, topK: 2, dense: true, ...moe } },
        workload: { mode },
      }),
      "expertsPerGpu",
    );
  expect(claiming(4)).toMatchObject({
    judgement: "untestable",
    needs: [
      expect.objectContaining({
        what: "model.moe.redundantExperts",
        relation: "exactly",
        value: 2,
      }),
    ],
  });
  expect(claiming(4, { redundantExperts: 2 })?.judgement).toBe("confirmed");
  expect(claiming(4, { redundantExperts: 0 })?.judgement).toBe("refuted");
  expect(claiming(3, { redundantExperts: 2 })?.judgement).toBe("refuted");
  expect(claiming(4, {}, "training")?.judgement).toBe("refuted");
  expect(claiming(7)?.needs[0]?.absurd).toBe("more copies than experts");
  expect(claiming(3.25)?.judgement).toBe("refuted");
});

test("tokens per second are samples per second times sequence, to half a per cent", () => {
  const claiming = (tokensPerSecond: number) =>
    withDegrees({
      workload: { sequence: 1024 },
      claims: { samplesPerSecond: 312, tokensPerSecond },
    });
  const exact = 312 * 1024;
  expect(judgementOf(claiming(exact), "tokenArithmetic")).toBe("confirmed");
  expect(warningsOf(claiming(exact))).toEqual([]);
  expect(warningsOf(claiming(exact * 1.0049))).toEqual([]);
  expect(warningsOf(claiming(exact * 1.0052))).toEqual(["claim-refuted"]);
  expect(warningsOf(claiming(exact * 0.9949))).toEqual(["claim-refuted"]);
  expect(found(claiming(300_000), "claim-refuted")).toMatchObject({
    path: ["claims", "tokensPerSecond"],
    message: expect.stringContaining("tolerance 0.5 %"),
  });
});

test("memory left is memory minus what is used, to half a per cent", () => {
  const claiming = (memoryAvailable: string) =>
    judgementOf(
      withDegrees({
        hardware: { memoryPerGpu: "64GB" },
        claims: { memoryUtilization: 0.661, memoryAvailable },
      }),
      "memoryArithmetic",
    );
  expect(claiming("21.7GB")).toBe("confirmed");
  expect(claiming("21.8GB")).toBe("confirmed");
  expect(claiming("21.82GB")).toBe("refuted");
  expect(claiming("21.57GB")).toBe("refuted");
});

test("an absurd need is told with its number", () => {
  const messages = [
    peak(most * 1.01),
    withDegrees({ claims: { samplesPerSecond: most * 1e9 } }),
    piped({ gpuUtilization: 1 }, { mode: "training" }),
  ].map((written) => found(written, "claim-needs-absurd")?.message);
  expect(messages).toEqual([
    "samples per second needs MFU of 101 %: more than the peak",
    expect.stringMatching(
      /^samples per second needs hardware.peakFlops of 1 EFLOP\/s: .*, the fastest GPU known here, has/,
    ),
    "GPU utilization needs workload.microBatches of any number: a pipeline that fills and drains is never busy all the time",
  ]);
});

test("by 6 FLOPs per parameter, the embedding counts or not, and so may the head", () => {
  const model = { vocabulary: 4096 };
  const { perParameter, model: own } = flopsOf(withDegrees({ model }));
  const [fewest, mostOf] = perParameter;
  const head = 2 * 32 * 4096;
  expect(mostOf - fewest).toBeCloseTo(2 * head, 6);
  const claiming = (perSample: number) => {
    const rate = (0.5 * (2 * peakFlops)) / own;
    const computeUtilization = (rate * perSample) / (2 * peakFlops);
    return judgementOf(peak(rate, { computeUtilization }, { model }), "mfuArithmetic");
  };
  expect(claiming(own)).toBe("confirmed");
  // The conventions are far apart here: a figure by another of them is neither right nor wrong.
  expect(claiming(fewest)).toBe("ambiguous");
  expect(claiming(mostOf)).toBe("ambiguous");
  expect(claiming(fewest * 0.97)).toBe("refuted");
  expect(claiming(mostOf * 1.03)).toBe("refuted");
});

test("a latency is held against all GPUs that a block is on, its experts' too", () => {
  const parallel = { tensor: 2, expert: 3, expertGroup: [0, 1, 2] };
  const written = withDegrees({
    hardware: { gpus: 3, peakFlops },
    parallel,
    claims: { latencyPerLayerMs: 1 },
  });
  const [onThree] = verdictOf(written, "latencyPerLayerMs")?.needs ?? [];
  const two = withDegrees({ hardware: { peakFlops }, claims: { latencyPerLayerMs: 1 } });
  const [onTwo] = verdictOf(two, "latencyPerLayerMs")?.needs ?? [];
  expect((onThree?.value ?? 0) / (onTwo?.value ?? 1)).toBeCloseTo(2 / 3, 1);
});
