// Results that cannot be edited into a verdict: each edit is refused, with the digest of the run and with a new one.

import { describe, expect, test } from "vitest";
import { EnvironmentError } from "../../src/environment_error.ts";
import { parseResult } from "../../src/harness/earlier_result.ts";
import type { RankSample, StepSample } from "../../src/measure/sample.ts";
import { readPlan } from "../../src/plan/load.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { workHash } from "../../src/result/plan_hash.ts";
import type { KeptTrace, RankAdapter } from "../../src/result/result.ts";
import { textOfResult } from "../../src/result/result_text.ts";
import { sampleColumns } from "../../src/result/sample_columns.ts";
import { seal } from "../../src/result/seal.ts";
import { planOf } from "../support/given.ts";
import { runOf } from "../support/made_up_run.ts";

const explicit = await planOf("three-stage-pipeline.json");
const experts = await planOf("smoke/moe-ep2.yaml");
const stages = await planOf("smoke/pipeline-1f1b.yaml");

type Content = Record<string, unknown>;

function jsonOf(value: unknown): Content {
  return JSON.parse(JSON.stringify(value)) as Content;
}
/** With samples as a list, which a file holds as columns. */
const contents = new Map(
  [explicit, experts, stages].map((plan): [Plan, Content] => {
    const run = runOf(plan);
    const { sha256 } = JSON.parse(textOfResult(run)) as { readonly sha256: string };
    return [plan, { ...jsonOf(run), sha256 }];
  }),
);

/** The file's content with the value at a path changed; a change to undefined takes it away. */
function edited(plan: Plan, path: string, change: (value: never) => unknown): Content {
  const file = structuredClone(contents.get(plan) ?? {});
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  let inner = file;
  for (const key of keys) inner = inner[key] as Content;
  const value = change(inner[last] as never);
  if (value === undefined) delete inner[last];
  else inner[last] = value;
  return file;
}

function traceInFile(trace: KeptTrace | undefined) {
  if (trace === undefined) return {};
  const ranks = trace.ranks.map((rank) => ({ ...rank, spans: sampleColumns(rank.spans) }));
  return { trace: { ...trace, ranks } };
}

/** As a file holds it. */
function fileOf(content: Content): Content {
  return {
    ...content,
    samples: sampleColumns(content["samples"] as object[]),
    ...traceInFile(content["trace"] as KeptTrace | undefined),
  };
}

/** With a digest of what it says now. */
function sealedAnew({ sha256: _, ...content }: Content): string {
  return JSON.stringify(seal(fileOf(content)));
}

function refusalOf(text: string, plan: Plan): EnvironmentError {
  try {
    parseResult(text, "r.json", plan);
  } catch (error) {
    if (error instanceof EnvironmentError) return error;
    throw error;
  }
  throw new Error("the result was accepted");
}

describe("a result as the run wrote it", () => {
  test.each([
    ["explicit stages", explicit],
    ["a mixture of experts", experts],
    ["stages on GPUs of their own", stages],
  ])("gives the figures of the run again: %s", (_, plan) => {
    const { sha256: __, ...content } = contents.get(plan) ?? {};
    const text = textOfResult(runOf(plan));
    expect(jsonOf(parseResult(text, "r.json", plan))).toEqual(content);
  });

  test("may hold its plan", async () => {
    const { plan, document } = await readPlan("configs/smoke/moe-ep2.yaml");
    if (plan === undefined || document.written === undefined) throw new Error("no plan");
    const result = { ...runOf(plan), written: document.written };
    expect(parseResult(textOfResult(result), "r.json", plan).written).toEqual(document.written);
  });

  test("counts in whatever order a tool puts its keys", () => {
    const entries = Object.entries(fileOf(contents.get(explicit) ?? {})).toReversed();
    const text = JSON.stringify(Object.fromEntries(entries));
    expect(parseResult(text, "r.json", explicit).metrics.stepMs?.samples).toBe(6);
  });

  test("is held against other claims of the same work", () => {
    const other = { ...explicit, name: "other", claims: { gpuUtilization: 0.1 } };
    const text = textOfResult(runOf(explicit));
    const { verdicts, plan } = parseResult(text, "r.json", other);
    expect(verdicts.map(({ claimed }) => claimed.value)).toEqual([0.1]);
    expect(plan.name).toBe("other");
  });
});

function half(ms: number): number {
  return ms / 2;
}
function always(value: unknown) {
  return (): unknown => value;
}
const gone = always(undefined);
function halved(sample: RankSample): RankSample {
  return {
    rank: sample.rank,
    computeMs: half(sample.computeMs),
    reduceMs: half(sample.reduceMs),
    uploadMs: half(sample.uploadMs),
    readbackMs: half(sample.readbackMs),
    moveMs: half(sample.moveMs),
    idleMs: half(sample.idleMs),
    hostMs: half(sample.hostMs),
    unattributedMs: half(sample.unattributedMs),
    busyMs: half(sample.busyMs),
    communicatingMs: half(sample.communicatingMs),
    overlappedMs: half(sample.overlappedMs),
  };
}
function neverIdle(sample: RankSample): RankSample {
  return {
    ...sample,
    idleMs: 0,
    computeMs: sample.computeMs + sample.idleMs,
    busyMs: sample.busyMs + sample.idleMs,
  };
}

type Edit = readonly [
  of: string,
  plan: Plan,
  path: string,
  change: (value: never) => unknown,
  reason: RegExp,
];

const { document: otherPlan } = await readPlan("configs/smoke/moe-ep2.yaml");

const ofPlan: readonly Edit[] = [
  ["the fingerprint of its schedule", explicit, "programHash", always("0"), /programHash is not/],
  ["the plan in it", explicit, "written", always(otherPlan.written), /written is not the plan/],
];

const ofFigures: readonly Edit[] = [
  ["a figure", explicit, "metrics.samplesPerSecond.value", always(1e6), /samplesPerSecond\.value/],
  ["an interval", explicit, "metrics.busy.interval", always([0.99, 0.99]), /busy\.interval/],
  ["the samples of a figure", explicit, "metrics.stepMs.samples", always(600), /stepMs\.samples/],
  ["a condition", explicit, "metrics.stepMs.conditions", always([]), /stepMs\.conditions/],
  ["a verdict", explicit, "verdicts.0.judgement", always("confirmed"), /verdicts\.0\.judgement/],
  ["the FLOPs of a model", explicit, "estimate.modelFlops", always(1e15), /estimate\.modelFlops/],
  [
    "a peak",
    explicit,
    "calibration.0.ceilings.f32.figure.value",
    (value: number) => value / 10,
    /ceilings\.f32\.figure\.value/,
  ],
  [
    "the runs of a peak",
    explicit,
    "calibration.0.ceilings.f32.runs",
    always([1e9]),
    /ceilings\.f32\.figure|metrics/,
  ],
  [
    "a peak of an adapter that no rank is on",
    explicit,
    "calibration.0.adapter",
    always("gpu0"),
    /no rank is on/,
  ],
];

const ofSamples: readonly Edit[] = [
  ["the wall time of a step", explicit, "samples.2.wallMs", half, /samples\.2\.ranks\.0 sum to/],
  [
    "the wall time of all steps",
    explicit,
    "samples",
    (samples: StepSample[]) => samples.map((each) => ({ ...each, wallMs: half(each.wallMs) })),
    /sum to/,
  ],
  [
    "all times of a step, but those of its kernels",
    stages,
    "samples.2",
    (sample: StepSample) => ({
      ...sample,
      wallMs: half(sample.wallMs),
      ranks: sample.ranks.map(halved),
    }),
    /bubble\.measured|longer than its step/,
  ],
  ["a busy time", explicit, "samples.0.ranks.2.busyMs", (ms: number) => ms + 1, /ranks\.2\.busyMs/],
  [
    "idle times, given to kernels",
    explicit,
    "samples.0.ranks",
    (ranks: RankSample[]) => ranks.map(neverIdle),
    /kernelMs sum to|layers took/,
  ],
  [
    "what overlaps",
    explicit,
    "samples.0.ranks.0.overlappedMs",
    (ms: number) => ms + 5,
    /communicatingMs/,
  ],
  ["a time, below zero", explicit, "samples.0.ranks.0.idleMs", always(-1), /ranks\.0\.idleMs/],
  ["a time, no number", explicit, "samples.0.wallMs", always(null), /samples\.0\.wallMs/],
  [
    "a slow step, removed",
    explicit,
    "samples",
    (samples: StepSample[]) => samples.toSpliced(3, 1),
    /steps are missing/,
  ],
  [
    "a fast step, repeated",
    explicit,
    "samples",
    (samples: StepSample[]) => samples.with(5, { ...(samples[0] as StepSample), step: 5 }),
    /samples\.5 repeats another step/,
  ],
  [
    "an idle rank, removed",
    explicit,
    "samples.1.ranks",
    (ranks: RankSample[]) => ranks.slice(0, -1),
    /samples\.1\.ranks are not those/,
  ],
  [
    "the latency of layers",
    explicit,
    "samples.0.layers",
    (layers: StepSample["layers"]) =>
      layers.map((each) => ({ ...each, latencyMs: each.latencyMs.map((ms) => ms / 100) })),
    /samples\.0\.layers took/,
  ],
  ["the name of a layer", explicit, "samples.0.layers.0.layer", always("x"), /of no layer/],
  [
    "the time of kernels",
    explicit,
    "samples.0.kernelMs",
    (times: number[]) => times.map((ms) => ms / 10),
    /kernelMs sum to/,
  ],
  ["the bubble", stages, "samples.0.bubble.measured", always(0), /do not sum to it/],
  [
    "the tokens of an expert",
    experts,
    "samples.0.experts.0.ranks.0.tokens.0",
    (tokens: number) => tokens - 1,
    /choices, and the router makes/,
  ],
  [
    "the experts of one step",
    experts,
    "samples.3.experts.0.ranks.0.tokens",
    (tokens: number[]) => tokens.toReversed(),
    /samples\.3\.experts differ/,
  ],
  ["where a sample is from", explicit, "samples.0.provenance", always("projected"), /provenance/],
];

const ofCircumstances: readonly Edit[] = [
  [
    "an adapter's id that a shell would run",
    explicit,
    "adapters.0.id",
    always("gpu0;date"),
    /no id of an adapter/,
  ],
  ["the check, removed", explicit, "check", gone, /not checked/],
  ["a check that failed", explicit, "check.error", always(0.3), /numbers are wrong/],
  ["what the check accepts", explicit, "check.tolerance", always(1), /accepts an error of 1/],
  ["a check of nothing", explicit, "check.values", always(0), /compared no value/],
  ["how the run ended", explicit, "outcome", always({ state: "interrupted" }), /was interrupted/],
  [
    "a fault at the end",
    explicit,
    "outcome",
    always({ state: "fault", code: "rank-died", message: "", hint: "" }),
    /stopped by rank-died/,
  ],
  ["the schema", explicit, "schemaVersion", always(3), /schemaVersion is 3/],
  [
    "software, called hardware",
    explicit,
    "adapters",
    (adapters: RankAdapter[]) => adapters.map((each) => ({ ...each, software: false })),
    /names itself swiftshader/,
  ],
  [
    "software, as if each rank had its own",
    explicit,
    "adapters",
    (adapters: RankAdapter[]) =>
      adapters.map((each) => ({ ...each, id: `gpu${each.rank}`, software: false, sharedWith: [] })),
    /names itself swiftshader/,
  ],
  ["who shares an adapter", explicit, "adapters.0.sharedWith", always([]), /0\.sharedWith/],
  ["the driver of one rank", explicit, "adapters.1.driver", always("2.0"), /differs from rank 0's/],
  [
    "how many ranks there were",
    explicit,
    "adapters",
    (adapters: RankAdapter[]) => adapters.slice(0, 2),
    /one for each of 3 ranks/,
  ],
  ["allocated memory", explicit, "memory.0.allocatedBytes", half, /memory\.0\.allocatedBytes/],
  ["the variant of a kernel", explicit, "kernels.0.variant", always("softmax"), /does not compute/],
  ["the uses of a kernel", explicit, "kernels.0.uses", always(1), /other uses/],
  ["the kernels, removed", explicit, "kernels", always([]), /kernels are 0/],
  ["the seed", explicit, "seed", always(99), /other work/],
  ["what work ran", explicit, "plan.workHash", always(workHash(experts)), /other work/],
  ["the versions, removed", explicit, "versions", gone, /versions/],
  ["the date", explicit, "date", always("2199-01-01T00:00:00.000Z"), /future/],
  ["what no run writes", explicit, "samples.0.note", always("fast"), /samples\.0\.note is "fast"/],
];

describe.each([...ofPlan, ...ofFigures, ...ofSamples, ...ofCircumstances])(
  "an edit of %s",
  (_, plan, path, change, reason) => {
    test("is refused as an edit", () => {
      const { code, message, hint } = refusalOf(
        JSON.stringify(fileOf(edited(plan, path, change))),
        plan,
      );
      expect(code).toBe("result-refused");
      expect(message).toMatch(/edited since the run wrote it|schemaVersion/);
      expect(hint).toContain("run the plan again");
    });

    test("is refused for what it says, under a new digest", () => {
      const { code, message, hint } = refusalOf(sealedAnew(edited(plan, path, change)), plan);
      expect(code).toBe("result-refused");
      expect(message).toMatch(reason);
      expect(hint).toContain("run the plan again");
    });
  },
);

test("a digest that was removed is an edit", () => {
  const file = edited(explicit, "sha256", gone);
  expect(refusalOf(JSON.stringify(fileOf(file)), explicit).message).toContain("edited since");
});

test("a result without overlap is refused for the plan with it, whatever its hash says", async () => {
  const overlapped = await planOf("moe-ep3-tp2.json");
  const result = runOf({ ...overlapped, optimizations: [] });
  expect(refusalOf(textOfResult(result), overlapped).message).toContain("other work");
  const forged = { ...result, plan: { ...result.plan, workHash: workHash(overlapped) } };
  expect(refusalOf(sealedAnew(jsonOf(forged)), overlapped).code).toBe("result-refused");
});

describe("the work of a plan", () => {
  const { workload } = experts;
  const degrees = { tensor: 2, pipeline: 1, data: 1, expert: 2 };
  const changes: readonly (readonly [string, Partial<Plan>])[] = [
    ["optimizations", { optimizations: ["communication-overlap"] }],
    ["dtype", { workload: { ...workload, dtype: "f16" } }],
    ["mode", { workload: { ...workload, mode: "training" } }],
    ["schedule", { workload: { ...workload, schedule: "1f1b" } }],
    ["recomputation", { workload: { ...workload, recompute: { granularity: "full" } } }],
    ["seed", { workload: { ...workload, seed: 77 } }],
    ["context ranks", { degrees: { ...degrees, context: 2 } }],
    ["sequence parallelism", { degrees: { ...degrees, sequence: true } }],
    ["number of GPUs", { hardware: { gpus: 4 } }],
    ["layers", { stages: [] }],
  ];

  test.each(changes)("depends on its %s", (_, change) => {
    expect(workHash({ ...experts, ...change })).not.toBe(workHash(experts));
  });

  const optimizations = ["fused-attention", "communication-overlap"];

  test.each<[string, Partial<Plan>]>([
    ["its name and claims", { name: "other", claims: {} }],
    ["what it assumes", { assumed: ["model.hidden"] }],
    ["what a GPU can do", { hardware: { gpus: 2, memoryPerGpu: 1, peakFlops: 1 } }],
    ["the order of optimizations", { optimizations: optimizations.toReversed() }],
  ])("does not depend on %s", (_, change) => {
    const plan = { ...experts, optimizations };
    expect(workHash({ ...plan, ...change })).toBe(workHash(plan));
  });
});
