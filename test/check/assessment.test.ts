import { expect, test } from "vitest";
import { inspect } from "../../src/check/check_plan.ts";
import { judgeClaims } from "../../src/claims/judge.ts";
import { parsePlan, readPlan } from "../../src/plan/load.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { communicationCosts } from "../../src/program/communication_cost.ts";
import { assess } from "../../src/check/aspects/assess.ts";
import type { Aspect, Assessed } from "../../src/check/aspects/aspect.ts";
import { loadBalance } from "../../src/check/aspects/load_balance.ts";
import { describePlan } from "../../src/program/describe_plan.ts";
import { analysisReport } from "../../src/report/analysis_report.ts";
import { markdownLines } from "../../src/report/render/markdown.ts";
import { claiming, planOf } from "../support/given.ts";

const threeStages = "three-stage-pipeline.json";
const experts = "moe-ep3-tp2.json";
const original = "moe-ep3-tp2.original.json";

async function read(file: string): Promise<readonly [string, readonly string[]]> {
  const { plan, document } = await readPlan(`configs/${file}`);
  if (plan === undefined) throw new Error(`${file} must load`);
  return [
    file,
    markdownLines(
      analysisReport({ plan, document, diagnostics: inspect(plan, document).diagnostics }),
    ),
  ];
}

const reports = new Map(await Promise.all([threeStages, experts, original].map(read)));

function reportOf(file: string): readonly string[] {
  return reports.get(file) ?? [];
}

/** What the two reports that the product was asked for from tick or warn of, and the start of our line on it. */
test.each([
  [threeStages, "GPU Count", "- ✅ **GPU Count**: 3 of 3"],
  [threeStages, "GPU Allocation", "- ✅ **GPU Allocation**"],
  [
    threeStages,
    "Tensor Split Devices",
    "- ✅ **Tensor Split Devices**: layers are split over [0, 1], [1, 2]",
  ],
  [threeStages, "Communication Patterns", "- ✅ **Communication Patterns**"],
  [
    threeStages,
    "Tensor Parallel Strategy",
    "- ✅ **Tensor Parallel Strategy**: linear by columns (embedding); linear by rows",
  ],
  [threeStages, "Column Parallel", "- ✅ **Column Parallel**"],
  [threeStages, "Row Parallel", "- ✅ **Row Parallel**"],
  [
    threeStages,
    "Communication",
    "- ✅ **Communication**: all-gather is what the column-parallel result",
  ],
  [
    threeStages,
    "Pipeline Efficiency",
    "- ❌ **Pipeline Efficiency**: the 3 stages are no pipeline: embedding and expert share GPU 1, expert and aggregation share GPU 2",
  ],
  [
    threeStages,
    "Load Balancing",
    "- ❌ **Load Balance**: GPUs 0–2 have 40.0 %, 50.0 %, 10.0 % of the FLOPs, 1.5 × the mean",
  ],
  [
    threeStages,
    "Bandwidth-optimized",
    "- ❌ **Bandwidth-Optimized Communication**: as run here, embed_to_expert: GPU 2 gets 1.05 MB per step, of which the row split that follows reads 524 kB",
  ],
  [
    threeStages,
    "Latency-optimized",
    "- ✅ **Latency-Optimized Communication**: as run here, each of 2 communications is over in one hop",
  ],
  [
    threeStages,
    "Max memory per GPU is only 16MB",
    "   - **Issue**: 16 MiB per GPU severely limits",
  ],
  [
    threeStages,
    "Claim of 95%+ GPU utilization may be optimistic",
    "   - **Issue**: gpuUtilization of 95 % is optimistic",
  ],
  [
    threeStages,
    "Data parallel with only 1 replica",
    '   - **Issue**: stage "aggregation" is data-parallel with only 1 replica',
  ],
  [
    threeStages,
    "GPU 0: Light … GPU 2: Medium",
    "What the labels mean: heavy: more than 4/3 of the average FLOPs",
  ],
  [
    experts,
    "Expert Parallelism, zero variance",
    "- ✅ **Expert Load Balance**: 63 experts over 3 GPUs: 21 per GPU, variance 0",
  ],
  [
    experts,
    "Hardware Match",
    "- ✅ **Hardware Match**: expert parallelism of 3 puts experts on 3 of 3 GPUs",
  ],
  [
    experts,
    "Memory Utilization, conservative",
    "- ✅ **Conservative Memory Use**: GPU 0, the fullest, needs 52 MB of 64 GB",
  ],
  [
    experts,
    "Compute Utilization without overloading",
    "- ❔ **High Utilization Without Overloading**: 80.0 % of the peak on average",
  ],
  [
    experts,
    "Comprehensive optimization techniques",
    "- ❔ **Comprehensive Optimization Techniques**: of 6 that the plan names",
  ],
  [experts, "Fused attention kernels", "  - ✅ **fused-attention**: scores, softmax"],
  [
    experts,
    "Communication overlapping",
    "  - ✅ **communication-overlap**: 8 of 10 communications start before",
  ],
  [
    experts,
    "Activation checkpointing",
    "  - ❔ **activation-checkpointing**: without effect in inference",
  ],
  [
    experts,
    "Mixed precision",
    "  - ✅ **mixed-precision**: weights and activations are f16, sums f32",
  ],
  [experts, "Async data pipeline", "  - ❔ **async-data-pipeline**"],
  [experts, "Gradient accumulation", "  - ❔ **gradient-accumulation**"],
  [
    experts,
    "Performance Metrics Validated",
    "- ❔ **Performance Metrics Validated**: 5 of 14 claims and relations follow",
  ],
])("%s has a line on %s", (file, _line, own) => {
  // The plan with a mistake is analysed as it is once mended.
  for (const name of file === experts ? [experts, original] : [file]) {
    expect(reportOf(name).filter((line) => line.startsWith(own))).toHaveLength(1);
  }
});

test("what leans on assumed values says on how many, and the notes name each", async () => {
  const report = reportOf(experts);
  const memory = report.find((line) => line.includes("**Conservative Memory Use**"));
  expect(memory).toContain("*(assumed: 4 of workload, 11 of model, parallel.expertGroup)*");
  const { assumed } = await planOf(experts);
  const note = report.find((line) => line.includes("**Assumed Values**"));
  expect(assumed.filter((path) => note?.includes(path) !== true)).toEqual([]);
});

test("no sentence of a report stands in it twice", () => {
  for (const file of [threeStages, experts, original]) {
    const lines = reportOf(file).filter(
      (line) => line.length > 60 && !line.includes("**Impact**") && !/[│┌└]/.test(line),
    );
    const sentences = lines.map((line) => line.replace(/^.*?\*\*: /, ""));
    const repeated = sentences.filter((line, i) => sentences.indexOf(line) !== i);
    // Two scaling claims ask for the same, and all advice is listed once more.
    expect(repeated.filter((line) => !line.startsWith("measure the same work"))).toEqual([]);
  }
});

test("control: the same plan with nothing assumed leans on nothing", async () => {
  const known = { ...(await planOf(experts)), assumed: [] };
  const all = Object.values(aspectsOf(known)).flat() as Aspect[];
  expect(
    all.flatMap(({ leansOn, parts = [] }) => [leansOn, ...parts.map((p) => p.leansOn)]).flat(),
  ).toEqual([]);
});

function assessedOf(plan: Plan): Assessed {
  const described = describePlan(plan);
  return {
    described,
    diagnostics: inspect(plan).diagnostics,
    verdicts: judgeClaims({ plan, estimate: described.estimate }),
    communication: communicationCosts(plan),
  };
}

function aspectsOf(plan: Plan) {
  const assessed = assessedOf(plan);
  return assess(assessed.diagnostics, plan, assessed);
}

function lineOn(plan: Plan, title: string): Aspect | undefined {
  return aspectsOf(plan).performance.find((each) => each.title === title);
}

function parsed(given: object): Plan {
  const text = JSON.stringify({ name: "p", hardware: { gpus: 2 }, ...given });
  const { plan } = parsePlan(text, "p.json");
  if (plan === undefined) throw new Error("the plan must load");
  return plan;
}

test.each([
  [0.55, "held"],
  [0.56, "contradicted"],
] as const)("of two GPUs, one with %d of the FLOPs: an even load is %s", (share, judgement) => {
  const load = [share, 1 - share].map(
    (flopsShare, gpu) => ({ gpu, flopsShare, label: "medium", layers: [] }) as const,
  );
  const [aspect] = loadBalance({
    ...assessedOf(parsed(pipeline({}))),
    described: { ...describePlan(parsed(pipeline({}))), load },
  });
  expect(aspect?.judgement).toBe(judgement);
});

test("where only the logits of last tokens may be needed, an uneven load is open", () => {
  const headed = (mode: string): Plan =>
    parsed({
      workload: { batch: 8, microBatches: 8, sequence: 4, mode },
      model: { layers: 2, hidden: 16, heads: 4, ffn: 16, vocabulary: 512 },
      parallel: { pipeline: 2 },
    });
  expect(lineOn(headed("inference"), "Load Balance")?.judgement).toBe("not decidable");
  expect(lineOn(headed("training"), "Load Balance")?.judgement).toBe("contradicted");
});

/** Two equal stages. */
function pipeline(workload: object): object {
  return {
    workload: { batch: 16, microBatches: 16, sequence: 4, ...workload },
    model: { layers: 2, hidden: 16, heads: 4, ffn: 16 },
    parallel: { pipeline: 2 },
  };
}

test.each([
  [pipeline({ batch: 9, microBatches: 9 }), "held"],
  [pipeline({ batch: 8, microBatches: 8 }), "contradicted"],
  [pipeline({ batch: 1, microBatches: 1 }), "not decidable"],
  [pipeline({ mode: "training" }), "not decidable"],
  [pipeline({ mode: "training", schedule: "1f1b" }), "held"],
  [{ ...pipeline({}), assumed: ["workload.microBatches"] }, "not decidable"],
] as const)("two stages of %j: an efficient pipeline is %s", (given, judgement) => {
  expect(lineOn(parsed(given), "Pipeline Efficiency")?.judgement).toBe(judgement);
});

test("stages on the same GPUs are no pipeline that could be efficient or not", async () => {
  expect(lineOn(await planOf(experts), "Pipeline Efficiency")).toBeUndefined();
});

function technique(name: string, given: object): string | undefined {
  const plan = parsed({ ...given, optimizations: [name] });
  const line = lineOn(plan, "Comprehensive Optimization Techniques");
  return line?.parts?.[0]?.judgement;
}

function split(workload: object, rest: object = {}): object {
  return {
    workload: { batch: 4, microBatches: 2, sequence: 128, ...workload },
    model: { layers: 1, hidden: 16, heads: 4, ffn: 16 },
    parallel: { tensor: 2 },
    ...rest,
  };
}
const vectors = {
  workload: { batch: 4 },
  stages: [
    {
      name: "s",
      layers: [{ op: "linear", in: 4, out: 4, parallel: { kind: "replicated", gpus: [0] } }],
    },
  ],
};
const assumedMode = { assumed: ["workload.mode"] };

test.each([
  ["fused-attention", split({}), "held"],
  ["fused-attention", vectors, "contradicted"],
  ["communication-overlap", split({}), "held"],
  ["communication-overlap", split({ sequence: 4 }), "contradicted"],
  ["communication-overlap", vectors, "contradicted"],
  ["activation-checkpointing", split({}), "contradicted"],
  ["activation-checkpointing", split({}, assumedMode), "not decidable"],
  ["activation-checkpointing", split({ mode: "training" }), "not decidable"],
  ["gradient-accumulation", split({ mode: "training" }), "held"],
  ["gradient-accumulation", split({ mode: "training", microBatches: 1 }), "contradicted"],
  ["gradient-accumulation", split({}), "contradicted"],
  ["mixed-precision", split({ dtype: "f16" }), "held"],
  ["mixed-precision", split({}), "contradicted"],
  ["async-data-pipeline", split({}), "not decidable"],
  ["warp-drive", split({}), "not decidable"],
] as const)("%s in %j is %s", (name, given, judgement) => {
  expect(technique(name, given)).toBe(judgement);
});

test("a utilization is as decided as the verdict on it, and says what it asks of the busiest GPU", () => {
  const known = parsed({
    ...split({}),
    hardware: { gpus: 3, peakFlops: 1e12 },
    parallel: { tensor: 2, expert: 3, expertGroup: [0, 1, 2] },
    model: {
      layers: 1,
      hidden: 16,
      heads: 4,
      ffn: 16,
      moe: { experts: 3, topK: 1, ffn: 16, dense: true },
    },
  });
  const title = "High Utilization Without Overloading";
  const beyond = lineOn(claiming(known, { computeUtilization: 0.85 }), title);
  expect(beyond).toMatchObject({ judgement: "contradicted", leansOn: [] });
  expect(beyond?.why).toContain("more than it has");
  const within = lineOn(claiming(known, { computeUtilization: 0.2 }), title);
  expect(within).toMatchObject({ judgement: "not decidable" });
  expect(within?.why).toContain("not more than it has");
});

test("memory is used conservatively if no more than nine tenths are, and it is open what an unsaid ZeRO would save", () => {
  const needing = (memoryPerGpu: number, workload: object = {}): Plan =>
    parsed({
      ...split(workload, { parallel: { data: 2 } }),
      hardware: { gpus: 2, memoryPerGpu },
    });
  const title = "Conservative Memory Use";
  const judged = (plan: Plan) => lineOn(plan, title)?.judgement;
  const { total } = describePlan(needing(1e9)).estimate.memory[0] ?? { total: 0 };
  expect(judged(needing(Math.ceil(total / 0.9)))).toBe("held");
  const { memory } = describePlan(needing(1e9, { mode: "training" })).estimate;
  const { total: trained, least } = memory[0] ?? { total: 0, least: 0 };
  expect(least).toBeLessThan(0.9 * trained);
  expect(judged(needing(Math.round(trained / 0.95), { mode: "training" }))).toBe("not decidable");
  expect(judged(needing(Math.round(least / 0.95), { mode: "training" }))).toBe("contradicted");
});

test("metrics are validated if all follow from the plan, and not if one is refuted", async () => {
  const plan = { ...(await planOf(experts)), assumed: [] };
  const title = "Performance Metrics Validated";
  expect(lineOn(claiming(plan, { expertsPerGpu: 21 }), title)?.judgement).toBe("held");
  expect(lineOn(claiming(plan, { expertsPerGpu: 20 }), title)?.judgement).toBe("contradicted");
  expect(lineOn(claiming(plan, {}), title)).toBeUndefined();
});
