import { describe, expect, test } from "vitest";
import type { Figure } from "../../src/measure/figure.ts";
import type { Plan } from "../../src/plan/plan.ts";
import type { RankAdapter } from "../../src/result/result.ts";
import {
  adapter,
  claiming,
  exclusive,
  measured,
  metricsWith,
  planOf,
  software,
  verdictOn,
} from "../support/given.ts";

const assuming = await planOf("three-stage-pipeline.json");
/** The same work, as if its source had given every shape. */
const pipeline: Plan = { ...assuming, assumed: [] };

function throughput(
  figure: Figure | undefined,
  adapters: readonly RankAdapter[] = exclusive,
  plan = pipeline,
) {
  return verdictOn(claiming(plan, { samplesPerSecond: 100 }), "samplesPerSecond", {
    adapters,
    metrics: metricsWith(figure === undefined ? {} : { samplesPerSecond: figure }),
  });
}

function latency(low: number, high: number) {
  return verdictOn(claiming(pipeline, { latencyPerLayerMs: 8.5 }), "latencyPerLayerMs", {
    adapters: exclusive,
    metrics: metricsWith({ layerMs: measured((low + high) / 2, "ms", [low, high]) }),
  });
}

describe("on hardware that every rank has to itself", () => {
  test.each([
    ["confirmed", 100, 120],
    ["ambiguous", 99.9, 120],
    ["ambiguous", 80, 100],
    ["refuted", 80, 99.9],
  ])("a throughput of 100 is %s by an interval of %d to %d", (judgement, low, high) => {
    const figure = measured((low + high) / 2, "samples/s", [low, high]);
    expect(throughput(figure)?.judgement).toBe(judgement);
  });

  test.each([
    ["confirmed", 8, 8.5],
    ["ambiguous", 8, 8.6],
    ["ambiguous", 8.5, 9],
    ["refuted", 8.6, 9],
  ])("a latency of 8.5 ms is %s by an interval of %d to %d", (judgement, low, high) => {
    expect(latency(low, high)?.judgement).toBe(judgement);
  });

  test("the ratio is found over claimed", () => {
    expect(throughput(measured(150, "samples/s", [140, 160]))?.ratio).toBe(1.5);
  });

  test("a run that does more than the plan's peak decides no share of it, and prints none", () => {
    const plan: Plan = { ...pipeline, hardware: { ...pipeline.hardware, peakFlops: 1e6 } };
    const verdict = verdictOn(claiming(plan, { computeUtilization: 0.4 }), "computeUtilization", {
      adapters: exclusive,
      metrics: metricsWith({ modelFlopsRate: measured(9e6, "FLOP/s", [8e6, 10e6]) }),
    });
    expect(verdict).toMatchObject({
      judgement: "untestable",
      reason: expect.stringMatching(/reached .* % of the plan's peak of 1 MFLOP\/s/),
    });
    expect(verdict?.found).toBeUndefined();
  });

  test("too few samples decide nothing, and the reason counts them", () => {
    expect(throughput(measured(150, "samples/s"))).toMatchObject({
      judgement: "untestable",
      reason: expect.stringContaining("2 samples are too few"),
      found: { value: 150 },
    });
  });
});

describe("where the interval holds more than the samples ask for", () => {
  const wide = (more: Partial<Figure>) =>
    throughput({ ...measured(102, "samples/s", [96, 108]), margin: 0.05, ...more });

  test("a claim within it is open, and the reason says why it is as wide, and what makes it less so", () => {
    expect(wide({})).toMatchObject({
      judgement: "ambiguous",
      reason: expect.stringContaining(
        "the interval straddles the claim, which is 5 % wider either way for what a single run does not show " +
          "(--runs 3 shows how runs differ): how runs differ, peaks that changed, load by others, and cores that change their speed",
      ),
    });
    expect(wide({ runs: 3, margin: 0.25 })).toMatchObject({
      judgement: "ambiguous",
      reason: expect.stringContaining(
        "25 % wider either way for what runs in a row share: load by others",
      ),
    });
  });

  test("control: a claim beyond it is decided", () => {
    expect(wide({ interval: [101, 108] })?.judgement).toBe("confirmed");
    expect(wide({ interval: [96, 99] })?.judgement).toBe("refuted");
  });
});

test("a measurement that contradicts itself decides no speed, and says by what", () => {
  const mfu = measured(1.14, "share", [1.12, 1.16]);
  const overBound = [{ name: "MFU", found: mfu, cause: "work is missing", isOfStep: true }];
  const metrics = metricsWith({
    samplesPerSecond: measured(9, "samples/s", [8, 10]),
    mfu,
    overBound,
  });
  const plan = claiming(pipeline, { samplesPerSecond: 100, computeUtilization: 0.5 });
  const verdict = verdictOn(plan, "samplesPerSecond", { adapters: exclusive, metrics });
  expect(verdict).toMatchObject({
    judgement: "untestable",
    reason: expect.stringContaining(
      "the measurement contradicts itself: MFU is 114 %, more than there is: work is missing",
    ),
    found: { value: 9 },
  });
  // More than there is was not found.
  expect(
    verdictOn(plan, "computeUtilization", { adapters: exclusive, metrics }),
  ).not.toHaveProperty("found");
});

describe("where something else ran than was promised", () => {
  const fast = measured(150, "samples/s", [140, 160]);
  const on = (plan: Plan) => throughput(fast, exclusive, plan);

  test("assumed work leaves speed untestable on any machine, named, and the figure is still shown", () => {
    const verdict = on(assuming);
    expect(verdict).toMatchObject({ judgement: "untestable", found: { value: 150 }, ratio: 1.5 });
    expect(verdict?.reason).toContain("assumed: workload.mode, workload.batch");
    expect(verdict?.reason).toContain("and 8 more");
    expect(verdict?.leansOn).toContain("stages.0.layers.0.in");
    expect(verdict?.found?.conditions.join()).toMatch(/^assumed: .*workload\.batch/);
  });

  test.each([
    "model",
    "model.hidden",
    "stages.0.layers.0.in",
    "workload",
    "workload.batch",
    "workload.microBatches",
    "workload.sequence",
    "workload.dtype",
    "workload.mode",
    "parallel.expertGroup",
    "communications",
    "optimizations",
  ])("%s alone is enough", (path) => {
    expect(on({ ...pipeline, assumed: [path] })).toMatchObject({
      judgement: "untestable",
      reason: expect.stringContaining(`assumed: ${path}`),
    });
  });

  test.each(["hardware.memoryPerGpu", "hardware.peakFlops", "claims.gpuUtilization"])(
    "control: %s is no work",
    (path) => {
      expect(on({ ...pipeline, assumed: [path] })?.judgement).toBe("confirmed");
    },
  );

  test("training is not decided by its forward pass", () => {
    const plan: Plan = { ...pipeline, workload: { ...pipeline.workload, mode: "training" } };
    expect(on(plan)).toMatchObject({
      judgement: "untestable",
      reason: expect.stringContaining("only its forward pass ran"),
      found: { value: 150 },
    });
  });

  test("context parallelism is run", () => {
    const degrees = { tensor: 2, pipeline: 2, data: 1, expert: 1, context: 2 };
    expect(on({ ...pipeline, degrees })?.judgement).toBe("confirmed");
  });

  test("sequence parallelism is run, and overlap beside it is not", () => {
    const degrees = { tensor: 2, pipeline: 2, data: 1, expert: 1, sequence: true };
    expect(on({ ...pipeline, degrees })?.judgement).toBe("confirmed");
    const optimizations = ["communication-overlap"];
    expect(on({ ...pipeline, degrees, optimizations })).toMatchObject({
      judgement: "untestable",
      reason: expect.stringContaining("checked but not run: optimizations.0"),
    });
  });

  test("every obstacle is named, those of the machine first", () => {
    expect(throughput(fast, software, assuming)?.reason).toMatch(/swiftshader .*; assumed: /);
  });
});

describe("where the machine cannot decide", () => {
  const fast = measured(1e9, "samples/s", [9e8, 2e9]);

  test("a software adapter leaves speed untestable, however fast, and the figure is still shown", () => {
    expect(throughput(fast, software)).toMatchObject({
      judgement: "untestable",
      reason: expect.stringContaining("swiftshader is a software adapter"),
      found: { value: 1e9 },
    });
  });

  test("one software rank among hardware ranks is enough", () => {
    const mixed = [...exclusive.slice(0, 2), adapter(2, { id: "lavapipe", software: true })];
    expect(throughput(fast, mixed)?.reason).toContain("lavapipe is a software adapter");
  });

  test("two ranks on one GPU leave speed untestable, and the reason names them", () => {
    const shared = [
      adapter(0),
      adapter(1, { id: "gpu1", sharedWith: [2] }),
      adapter(2, { id: "gpu1", sharedWith: [1] }),
    ];
    expect(throughput(fast, shared)).toMatchObject({
      judgement: "untestable",
      reason: expect.stringContaining("ranks 1, 2 share gpu1"),
    });
  });

  test("nor do two adapters that are not proven to be two GPUs", () => {
    const unproven = [adapter(0, { sharedWith: [1] }), adapter(1, { sharedWith: [0] }), adapter(2)];
    expect(throughput(fast, unproven)).toMatchObject({
      judgement: "untestable",
      reason: expect.stringContaining(
        "ranks 0, 1 are on gpu0 and gpu1, which are not proven to be GPUs of their own",
      ),
    });
  });

  test("what was not measured is absent, not 0", () => {
    const verdict = throughput(undefined);
    expect(verdict).toMatchObject({ judgement: "untestable" });
    expect(verdict).not.toHaveProperty("found");
    expect(verdict).not.toHaveProperty("ratio");
  });

  test("without a run nothing is known", () => {
    const plan = claiming(pipeline, { tokensPerSecond: 5 });
    expect(verdictOn(plan, "tokensPerSecond")?.reason).toContain("nothing was run");
  });
});

test("the two utilizations are held against different figures, and say which", () => {
  const plan = claiming(pipeline, { gpuUtilization: 0.9, computeUtilization: 0.5 });
  const run = {
    adapters: exclusive,
    metrics: metricsWith({
      busy: measured(0.95, "share", [0.94, 0.96]),
      mfu: measured(0.3, "share", [0.29, 0.31]),
    }),
  };
  expect(verdictOn(plan, "gpuUtilization", run)).toMatchObject({
    judgement: "confirmed",
    reason: expect.stringContaining("busy %"),
  });
  expect(verdictOn(plan, "computeUtilization", run)).toMatchObject({
    judgement: "refuted",
    reason: expect.stringContaining("MFU"),
  });
});

test("a plan without claims gets no verdicts", () => {
  expect(verdictOn(claiming(pipeline, {}), "samplesPerSecond")).toBeUndefined();
});

test("scaling needs a run on one GPU, and the reason says so", () => {
  const plan = claiming(pipeline, { strongScaling: 0.95, weakScaling: 0.92 });
  for (const claim of ["strongScaling", "weakScaling"]) {
    expect(verdictOn(plan, claim, { adapters: exclusive, metrics: metricsWith() })).toMatchObject({
      judgement: "untestable",
      reason: expect.stringContaining("N = 1"),
    });
  }
});
