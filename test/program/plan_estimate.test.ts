import { describe, expect, test } from "vitest";
import { countParameters } from "../../src/plan/parameters.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { estimate, estimatePlan } from "../../src/program/estimate.ts";
import { lower } from "../../src/program/lower.ts";
import { linear, moe, plan, plans } from "../support/plans.ts";
import { planOf } from "../support/written_plan.ts";

function degrees(model: string, parallel = "{}", rest = "microBatches: 2, sequence: 8") {
  return planOf(`
name: degrees
hardware: { gpus: 8 }
workload: { batch: 8, ${rest} }
model: ${model}
parallel: ${parallel}
`);
}

const llama =
  "{ layers: 3, hidden: 64, heads: 4, kvHeads: 2, headDim: 16, ffn: 96, gated: true, vocabulary: 128 }";
const mixtral =
  "{ layers: 2, hidden: 32, heads: 4, headDim: 8, gated: true, vocabulary: 64, moe: { experts: 8, topK: 2, ffn: 24 } }";

const configs: readonly (readonly [string, Plan])[] = [
  ...plans.map((each) => [each.name, each] as const),
  ["dense with all degrees", degrees(llama, "{ tensor: 2, pipeline: 2, data: 2 }")],
  ["experts with data replicas", degrees(mixtral, "{ tensor: 2, data: 4, expert: 8 }")],
];

test.each(configs)("%s: one micro-batch counted stands for the whole program", (_name, given) => {
  const program = lower(given);
  const whole = estimate(program, given);
  const { ranks, layers, modelFlops } = estimatePlan(given);
  expect(modelFlops).toBe(whole.modelFlops);
  expect(ranks.map(({ memoryByRole }) => memoryByRole)).toEqual(
    whole.ranks.map(({ memoryByRole }) => memoryByRole),
  );
  for (const [i, rank] of ranks.entries()) {
    expect(rank.memoryBytes).toBe(whole.ranks[i]?.memoryBytes);
    expect(rank.flops).toBeCloseTo(whole.ranks[i]?.flops ?? -1, 3);
    expect(rank.kernelBytes).toBe(whole.ranks[i]?.kernelBytes);
    expect(rank.sentBytes).toBeCloseTo(whole.ranks[i]?.sentBytes ?? -1, 3);
    expect(rank.receivedBytes).toBeCloseTo(whole.ranks[i]?.receivedBytes ?? -1, 3);
  }
  expect(layers.map(({ layer }) => layer)).toEqual(program.layers);
});

test.each(configs)("%s: layers, kernels and collectives add up to the ranks", (_name, given) => {
  const { ranks, layers, kernels, collectives } = estimatePlan(given);
  const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
    items.reduce((total, item) => total + of(item), 0);
  expect(sum(layers, (each) => each.flops)).toBeCloseTo(
    sum(ranks, (each) => each.flops),
    3,
  );
  expect(sum(layers, (each) => each.kernelBytes)).toBe(sum(ranks, (each) => each.kernelBytes));
  expect(sum(kernels, (each) => each.kernelBytes)).toBe(sum(ranks, (each) => each.kernelBytes));
  const received = sum(ranks, (each) => each.receivedBytes);
  expect(sum(collectives, (each) => each.wireBytes)).toBeCloseTo(received, 3);
  expect(sum(layers, (each) => each.wireBytes)).toBeCloseTo(received, 3);
});

describe("parameters", () => {
  test.each([
    ["dense", llama],
    ["experts", mixtral],
    [
      "layer norm, two matrices",
      "{ layers: 2, hidden: 32, heads: 4, norm: layer, vocabulary: 64 }",
    ],
    [
      "latent attention",
      "{ layers: 2, hidden: 32, heads: 4, headDim: 8, gated: true, latent: { queryRank: 12, keyValueRank: 16, rotaryDim: 4, valueDim: 8 } }",
    ],
    [
      "latent attention without a rank for queries",
      "{ layers: 2, hidden: 32, heads: 4, headDim: 8, latent: { keyValueRank: 16, rotaryDim: 4, valueDim: 12 } }",
    ],
    [
      "shared experts beside dense layers",
      "{ layers: 3, hidden: 32, heads: 4, gated: true, moe: { experts: 8, topK: 2, ffn: 24, sharedFfn: 16, denseLayers: [0] } }",
    ],
    ["no vocabulary", "{ layers: 2, hidden: 32, heads: 4 }"],
  ])("%s: those of the description are those of the program", (_name, model) => {
    const given = degrees(model);
    const { parameters } = estimatePlan(given);
    if (given.model === undefined) throw new Error("it has a model");
    const { total, active } = countParameters(given.model);
    expect(parameters).toEqual({ total, active, inProgram: total, source: "model" });
  });

  test("explicit stages are counted from the program, active ones by what a token passes", () => {
    const given = plan("moe", 2, [
      [linear(4, 8, "replicated", [[0]]), moe(8, 4, 2, [[0]], [0, 1])],
    ]);
    const router = 8 * 4;
    const perExpert = 2 * 8 * 6;
    expect(estimatePlan(given).parameters).toEqual({
      total: 4 * 8 + router + 4 * perExpert,
      active: 4 * 8 + router + 2 * perExpert,
      inProgram: 4 * 8 + router + 4 * perExpert,
      source: "program",
    });
  });
});

test("shared experts are summed over the tensor group and added", () => {
  const given = degrees(
    "{ layers: 1, hidden: 32, heads: 4, moe: { experts: 8, topK: 2, ffn: 24, sharedFfn: 16 } }",
    "{ tensor: 2, expert: 2 }",
  );
  const { collectives, kernels } = estimatePlan(given);
  expect(collectives.map(({ op }) => op)).toContain("reduce-scatter");
  const without = estimatePlan(
    degrees(
      "{ layers: 1, hidden: 32, heads: 4, moe: { experts: 8, topK: 2, ffn: 24 } }",
      "{ tensor: 2, expert: 2 }",
    ),
  );
  const adds = (of: typeof kernels) => of.find(({ kernel }) => kernel === "add")?.calls ?? 0;
  expect(adds(kernels)).toBe(adds(without.kernels) + 2 * 2);
});

test("latent scores cost what queries, keys and values of their widths do", () => {
  const scores = (model: string) =>
    estimatePlan(degrees(model)).kernels.find(({ kernel }) => kernel === "attention")?.flops;
  const rows = 8 * 8;
  // Causal: half of 2 · rows · sequence · heads · (width of a query and key + width of a value).
  expect(
    scores(
      "{ layers: 1, hidden: 32, heads: 4, headDim: 8, latent: { keyValueRank: 16, rotaryDim: 4, valueDim: 8 } }",
    ),
  ).toBe(rows * 8 * 4 * (8 + 4 + 8));
});

describe("collectives", () => {
  test("a declared one keeps its name; its bytes are those that arrive", () => {
    const given = plan("gather", 3, [[linear(4, 8, "column", [[0, 1]])]], {
      communications: [{ name: "g", op: "all-gather", from: [0, 1], to: [1, 2], after: 0 }],
    });
    const half = 4 * 3 * 4 * 4;
    expect(estimatePlan(given).collectives).toEqual([
      {
        op: "all-gather",
        layer: "stage0/0.linear",
        name: "g",
        groups: [{ from: [0, 1], to: [1, 2] }],
        instances: 1,
        calls: 2,
        wireBytes: 3 * half,
      },
    ]);
  });

  test("data replicas are instances of one", () => {
    const { collectives } = estimatePlan(degrees(llama, "{ tensor: 2, data: 4 }"));
    const attention = collectives.find(({ layer }) => layer.endsWith("attention"));
    expect(attention).toMatchObject({ op: "all-reduce", instances: 4, calls: 8 });
    expect(attention?.groups.map(({ from }) => from)).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
      [6, 7],
    ]);
    expect(attention).not.toHaveProperty("name");
  });
});

test("a plan of 4,096 GPUs is counted", () => {
  const given = planOf(`
name: large
hardware: { gpus: 4096 }
workload: { batch: 1024, microBatches: 16, sequence: 4096, dtype: f16 }
model: { layers: 80, hidden: 8192, heads: 64, kvHeads: 8, ffn: 28672, gated: true, vocabulary: 128256 }
parallel: { tensor: 8, pipeline: 8, data: 64 }
`);
  const { parameters, ranks, bound } = estimatePlan(given, { flops: 1e15 });
  expect(parameters).toMatchObject({ total: 70_553_706_496, inProgram: 70_553_706_496 });
  expect(ranks).toHaveLength(4096);
  // The first stage has token ids, the last a norm, of as many bytes.
  const memories = ranks.map(({ memoryByRole }) => JSON.stringify(memoryByRole));
  expect(new Set(memories).size).toBe(3);
  expect(bound?.ranks.at(-1)?.waitMs).toBeGreaterThan(0);
});

describe("the bound", () => {
  const peaks = { flops: 1e9 };
  const alone = plan("alone", 1, [[linear(8, 6, "replicated", [[0]])]]);

  test("without a peak there is none", () => {
    expect(estimatePlan(alone)).not.toHaveProperty("bound");
  });

  test("arithmetic alone: FLOPs over the peak", () => {
    const { bound, modelFlops } = estimatePlan(alone, peaks);
    expect(bound?.stepMs).toBeCloseTo((modelFlops / 1e9) * 1e3, 12);
    expect(bound?.memoryBoundShare).toBe(0);
    expect(bound?.samplesPerSecond).toBeCloseTo((4 / (bound?.stepMs ?? 0)) * 1e3, 6);
    expect(bound?.tokensPerSecond).toBeCloseTo((12 / (bound?.stepMs ?? 0)) * 1e3, 6);
  });

  test.each([
    ["at the ridge the arithmetic", 1, 0],
    ["below it the memory", 0.99, 1],
  ])("%s decides", (_name, factor, memoryBoundShare) => {
    const { modelFlops, ranks } = estimatePlan(alone);
    const intensity = modelFlops / (ranks[0]?.kernelBytes ?? 0);
    const bandwidth = (1e9 / intensity) * factor;
    const { bound } = estimatePlan(alone, { ...peaks, bandwidth });
    expect(bound?.memoryBoundShare).toBeCloseTo(memoryBoundShare, 12);
    expect(bound?.stepMs).toBeCloseTo((modelFlops / 1e9 / factor) * 1e3, 9);
  });

  test("a split over two ranks halves it, a slow wire adds what it carries", () => {
    const split = plan("split", 2, [[linear(8, 6, "column", [[0, 1]])]], {
      communications: [{ name: "g", op: "all-gather", from: [0, 1], to: [0, 1], after: 0 }],
    });
    const free = estimatePlan(split, peaks).bound?.stepMs ?? 0;
    expect(free).toBeCloseTo((estimatePlan(alone, peaks).bound?.stepMs ?? 0) / 2, 12);
    const piece = 2 * 3 * 4 * 4;
    const slow = estimatePlan(split, { ...peaks, linkBandwidth: 1e6 }).bound;
    expect(slow?.stepMs).toBeCloseTo(free + (2 * piece * 1e3) / 1e6, 9);
    expect(slow?.ranks.map(({ wireMs }) => wireMs)).toEqual([
      (2 * piece * 1e3) / 1e6,
      (2 * piece * 1e3) / 1e6,
    ]);
  });

  test("a pipeline's second stage waits for one micro-batch of the first", () => {
    const stages = plan(
      "pipeline",
      2,
      [[linear(8, 8, "replicated", [[0]])], [linear(8, 8, "replicated", [[1]])]],
      {
        communications: [{ name: "hand", op: "send", from: [0], to: [1], after: 0 }],
        workload: { microBatches: 4 },
      },
    );
    const { bound } = estimatePlan(stages, peaks);
    const part = ((2 * 3 * 8 * 8) / 1e9) * 1e3;
    expect(bound?.ranks.map(({ waitMs }) => waitMs)).toEqual([0, part]);
    expect(bound?.microBatchMs).toBeCloseTo(2 * part, 12);
    expect(bound?.stepMs).toBeCloseTo(5 * part, 12);
  });

  test("one rank's experts hold up those that wait for them", () => {
    const given = plan("moe", 2, [[moe(8, 4, 2, [[0]], [1])]]);
    const { bound } = estimatePlan(given, peaks);
    const [first, second] = bound?.ranks ?? [];
    expect(second?.waitMs).toBeGreaterThan(0);
    expect(bound?.microBatchMs).toBeGreaterThan((first?.kernelMs ?? 0) / 2);
  });
});

test("a stage that gives what it has does not wait until its bytes have left, whoever gets them does", () => {
  const given = planOf(`
name: chain
hardware: { gpus: 3 }
workload: { batch: 8, microBatches: 8, sequence: 8 }
model: ${llama}
parallel: { pipeline: 3 }
`);
  const bound = estimatePlan(given, { flops: 1e12, linkBandwidth: 1e8 }).bound;
  const bytes = 8 * 64 * 4;
  const eachMs = (1000 * 8 * bytes) / 1e8;
  const wires = bound?.ranks.map(({ wireMs }) => wireMs) ?? [];
  expect(wires[0]).toBe(0);
  for (const wireMs of wires.slice(1)) expect(wireMs).toBeCloseTo(eachMs, 9);
});
