// What the check says of memory: what a plan needs, whether it fits, and what becomes of claims about it.

import { describe, expect, test } from "vitest";
import {
  errorsOf,
  found,
  infosOf,
  linear,
  stages,
  warningsOf,
  withDegrees,
} from "../plan/checked.ts";
import { updateState } from "../../src/kernels/begin_update.ts";
import { squareSums } from "../../src/kernels/sum_squares.ts";
import { estimateOf, judgementOf, verdictOf } from "./judged.ts";

function withMemory(memoryPerGpu: unknown, more: object = {}): object {
  return {
    ...(stages(1, [[linear(1024, 1024, { kind: "replicated", gpus: [0] })]]) as object),
    hardware: { gpus: 1, memoryPerGpu },
    ...more,
  };
}
const weight = 4 * 1024 * 1024;
/** Weight, input and output of four rows, in f32. */
const needed = weight + 4 * 4 * 2048;

test("memory that exactly suffices is tight, a byte less is exceeded as planned, a tenth more is fine", () => {
  const memoryWarnings = (bytes: number) =>
    warningsOf(withMemory(bytes)).filter((code) => code !== "memory-unrealistic");
  expect(memoryWarnings(needed)).toEqual(["memory-headroom-small"]);
  expect(memoryWarnings(needed - 1)).toEqual(["memory-exceeded-as-planned"]);
  expect(memoryWarnings(Math.ceil(needed / 0.9))).toEqual([]);
  expect(infosOf(withMemory(Math.ceil(needed / 0.9)))).toContain("memory-headroom");
});

test("refused is a plan whose weights alone do not fit", () => {
  expect(errorsOf(withMemory(weight))).toEqual([]);
  expect(errorsOf(withMemory(weight - 1))).toEqual(["memory-exceeded"]);
  expect(found(withMemory("4MB"), "memory-exceeded")?.message).toBe(
    "GPU 0, the fullest, needs 4.23 MB of 4 MB (106 %): weights 4.19 MB, activations 32.8 kB; " +
      "any run of the plan holds at least 4.19 MB",
  );
});

test("f16 needs half of it", () => {
  const f16 = (bytes: number) => withMemory(bytes, { workload: { batch: 4, dtype: "f16" } });
  expect(warningsOf(f16(needed / 2))).toContain("memory-headroom-small");
  expect(warningsOf(f16(needed / 2 - 1))).toContain("memory-exceeded-as-planned");
  expect(errorsOf(f16(weight / 2 - 1))).toEqual(["memory-exceeded"]);
});

test("drivers report up to 7 % more than a datasheet prints", () => {
  const named = (columns: number) => {
    const layer = linear(100_000, columns, { kind: "replicated", gpus: [0] });
    return { ...(stages(1, [[layer]]) as object), hardware: { gpus: 1, gpu: "H100-SXM" } };
  };
  expect(errorsOf(named(214_800))).toEqual([]);
  expect(errorsOf(named(214_801))).toEqual(["memory-exceeded"]);
});

test("a plan whose weights have fewer bits than it counts is not refused by them", () => {
  const notes = [{ code: "quantization-not-expressible", message: "weights are quantized" }];
  expect(errorsOf(withMemory(weight / 4, { notes }))).toEqual([]);
  expect(warningsOf(withMemory(weight / 4, { notes }))).toContain("memory-exceeded-as-planned");
});

test("a plan without memory is not judged by it", () => {
  const codes = infosOf(withMemory(undefined)).concat(warningsOf(withMemory(undefined)));
  expect(codes.filter((code) => code.startsWith("memory"))).toEqual([]);
});

function needs(changes: Parameters<typeof withDegrees>[0]) {
  const [first] = estimateOf(withDegrees(changes)).memory;
  if (first === undefined) throw new Error("must have GPUs");
  return first;
}

test("what training may save is named, as far as the plan does not say it", () => {
  const training = (parallel: object, workload: object = {}) => {
    const plan = {
      hardware: { gpus: 4 },
      parallel: { data: 2, ...parallel },
      workload: { mode: "training", ...workload },
    };
    const memoryPerGpu = needs(plan).total - 1;
    const written = withDegrees({ ...plan, hardware: { gpus: 4, memoryPerGpu } });
    return found(written, "memory-exceeded-as-planned")?.message;
  };
  expect(training({})).toContain(
    "a run that shards its state over the data replicas (parallel.zero) and recomputes activations (workload.recompute) holds at least",
  );
  expect(training({ zero: 1 })).toContain(
    "; a run that recomputes activations (workload.recompute) holds at least",
  );
  expect(training({}, { recompute: { granularity: "selective" } })).toContain(
    "; a run that shards its state over the data replicas (parallel.zero) holds at least",
  );
});

describe("what a GPU needs", () => {
  test("training keeps gradients and optimizer: 18 bytes per parameter in f16, 16 in f32", () => {
    const dense = (workload: object) => needs({ model: { moe: undefined }, workload });
    const f16 = dense({ mode: "training", dtype: "f16" });
    expect(f16.weights + f16.gradients + f16.optimizer).toBe(9 * f16.weights);
    const f32 = dense({ mode: "training", dtype: "f32" });
    expect(f32.weights + f32.gradients + f32.optimizer).toBe(4 * f32.weights);
    expect(dense({}).gradients + dense({}).optimizer).toBe(0);
  });

  test("ZeRO divides the optimizer's state, then gradients, then weights by the data replicas", () => {
    const dense = (zero?: number) =>
      needs({
        hardware: { gpus: 4 },
        model: { moe: undefined },
        parallel: { tensor: 1, expert: 1, data: 4, ...(zero === undefined ? {} : { zero }) },
        workload: { mode: "training", dtype: "f16" },
      });
    const { weights } = dense();
    const state = (zero?: number) => {
      const need = dense(zero);
      return [need.weights, need.gradients, need.optimizer];
    };
    expect(state()).toEqual([weights, 2 * weights, 6 * weights]);
    expect(state(0)).toEqual(state());
    expect(state(1)).toEqual([weights, 2 * weights, 1.5 * weights]);
    expect(state(2)).toEqual([weights, weights / 2, 1.5 * weights]);
    expect(state(3)).toEqual([weights / 4, weights / 2, 1.5 * weights]);
  });

  test("of groups that hold a copy each ZeRO divides by the ranks of one group", () => {
    const weights = (parallel: object) =>
      needs({
        hardware: { gpus: 8 },
        model: { moe: undefined },
        parallel: { tensor: 1, expert: 1, data: 8, zero: 3, ...parallel },
        workload: { batch: 8, mode: "training", dtype: "f16" },
      });
    const whole = weights({ zero: 0 }).weights;
    expect(weights({}).weights).toBe(whole / 8);
    const hybrid = weights({ dataShard: 2 });
    expect([hybrid.weights, hybrid.gradients, hybrid.optimizer]).toEqual([
      whole / 2,
      whole,
      3 * whole,
    ]);
    expect(hybrid.least).toBeGreaterThan(weights({}).least);
    // Context ranks share the shards too.
    const beside = { data: 4, context: 2, dataShard: 2 };
    expect(weights(beside).weights).toBe(whole / 4);
  });

  test("of experts in two copies ZeRO divides by half of the groups that hold them", () => {
    const weights = (parallel: object) =>
      needs({
        hardware: { gpus: 8 },
        parallel: { tensor: 1, data: 8, expert: 2, ...parallel },
        model: { moe: { experts: 8, topK: 2, ffn: 64, dense: false } },
        workload: { batch: 8, mode: "training" },
      }).weights;
    const ofExperts = 2 * 4 * (2 * 32 * 64 * 4);
    const others = weights({}) - ofExperts;
    expect(weights({ zero: 3, dataShard: 4 })).toBeCloseTo(others / 4 + ofExperts / 2, 6);
  });

  test("of experts ZeRO divides by the groups that hold them", () => {
    const weights = (zero: number, expert: number) =>
      needs({
        hardware: { gpus: 4 },
        parallel: { tensor: 1, data: 4, expert, zero },
        model: { moe: { experts: 8, topK: 2, ffn: 64 } },
        workload: { mode: "training" },
      }).weights;
    const perExpert = 2 * 32 * 64 * 4;
    // Two layers; four experts on each GPU, which two GPUs have; all eight, which four have.
    const others = weights(0, 2) - 2 * 4 * perExpert;
    expect(weights(3, 2)).toBeCloseTo(others / 4 + (2 * 4 * perExpert) / 2, 6);
    expect(weights(0, 1)).toBe(others + 2 * 8 * perExpert);
    expect(weights(3, 1)).toBeCloseTo(weights(0, 1) / 4, 6);
  });

  test("a plan that says its ZeRO stage needs at least what that leaves", () => {
    const least = (zero?: number) =>
      needs({
        hardware: { gpus: 4 },
        model: { moe: undefined },
        parallel: { tensor: 1, expert: 1, data: 4, ...(zero === undefined ? {} : { zero }) },
        workload: { mode: "training", dtype: "f16" },
      }).least;
    expect(least()).toBe(least(3));
    expect(least(2)).toBeGreaterThan(least(3));
    expect(least(1)).toBeGreaterThan(least(2));
    expect(least(0)).toBe(least(1));
  });

  describe("with an optimizer", () => {
    const dense = (zero: number | undefined, workload: object) =>
      needs({
        hardware: { gpus: 4 },
        model: { moe: undefined },
        parallel: { tensor: 1, expert: 1, data: 4, ...(zero === undefined ? {} : { zero }) },
        workload: { mode: "training", dtype: "f16", ...workload },
      });
    const adamw = { optimizer: { name: "adamw" } };
    const sgd = { optimizer: { name: "sgd", momentum: 0 } };

    test("what ranks share out is counted by the formula, with the optimizer's own state", () => {
      const { weights } = dense(0, {});
      for (const zero of [1, 2]) {
        const { weights: held, gradients, optimizer } = dense(zero, {});
        expect(dense(zero, adamw)).toMatchObject({ weights: held, gradients, optimizer });
      }
      // All that is sharded is what the program allocates, and so are counters and sums of squares beside it.
      const counters = 4 * (updateState.length + squareSums);
      const { weights: held, gradients, optimizer } = dense(3, {});
      expect(dense(3, adamw)).toMatchObject({
        weights: held,
        gradients,
        optimizer: optimizer + counters,
      });
      expect(dense(2, { optimizer: { name: "sgd" } }).optimizer).toBe(weights);
      // Of weights in f16 those in f32 are left.
      expect(dense(2, sgd).optimizer).toBe(weights / 2);
    });

    test.each([
      [undefined, 4],
      [0, 1],
      [1, 4],
      [2, 4],
      [3, 4],
    ])("any run of ZeRO stage %s needs a share of the state more: 1 of %i", (zero, parts) => {
      const { weights } = dense(0, {});
      const more = dense(zero, adamw).least - dense(zero, {}).least;
      expect(more).toBe((6 * weights) / parts);
    });

    // Of a single expert the program makes one of its replicas the owner; tables of two stages stay whole here.
    test.each([
      ["experts", { tensor: 1, data: 8, expert: 2 }, { moe: { experts: 2, topK: 1, ffn: 64 } }],
      [
        "tied tables",
        { tensor: 1, pipeline: 2, data: 4, expert: 1 },
        { moe: undefined, vocabulary: 4096, tiedEmbeddings: true },
      ],
    ])("any run of ZeRO stage 3 needs no more than its formula: %s", (_, parallel, model) => {
      const all = (zero: number) =>
        estimateOf(
          withDegrees({
            hardware: { gpus: 8 },
            model,
            parallel: { ...parallel, zero },
            workload: { batch: 8, mode: "training", ...adamw },
          }),
        ).memory;
      const least = (zero: number) => Math.max(...all(zero).map((need) => need.least));
      const weights = all(2)[0]?.weights ?? Number.NaN;
      // Weights are divided by two replicas at least.
      expect(least(3)).toBeLessThanOrEqual(least(2) - weights / 2);
    });
  });

  test("full recomputation keeps less, and a plan that says it no less than that", () => {
    const full = { granularity: "full", method: "uniform", layers: 1 };
    const training = (more: object) =>
      needs({ workload: { mode: "training", sequence: 8, ...more }, model: { layers: 8 } });
    expect(training({ recompute: full }).activations).toBeLessThan(training({}).activations / 2);
    expect(training({ recompute: full }).least).toBeGreaterThanOrEqual(training({}).least);
  });

  test("generation caches keys and values, training and a single token do not", () => {
    // Two layers, batch 4, sequence 8, 2 of 4 heads of 8, keys and values in f32.
    expect(needs({ workload: { sequence: 8 } }).keyValueCache).toBe(2 * (4 * 8) * (2 * 8) * 2 * 4);
    expect(needs({ workload: { sequence: 8, mode: "training" } }).keyValueCache).toBe(0);
    expect(needs({ workload: { sequence: 1 } }).keyValueCache).toBe(0);
    const notCausal = needs({ workload: { sequence: 8 }, model: { causal: false } });
    expect(notCausal.keyValueCache).toBe(0);
  });

  test("linear attention keeps states and what its convolution sees, however long the sequence is", () => {
    const heads = { keyHeads: 2, valueHeads: 4, keyDim: 8, valueDim: 4, kernel: 3 };
    const cache = (sequence: number) =>
      needs({ workload: { sequence }, model: { gatedDelta: { layers: [0], ...heads } } })
        .keyValueCache;
    // Of 4 sequences on two ranks: 4 states [8, 4] in f32, and 2 tokens of 16 + 16 + 16 numbers.
    const states = (4 * (4 * 32 * 4 + 2 * 48 * 4)) / 2;
    expect(cache(8)).toBe(states + 4 * 8 * (2 * 8) * 2 * 4);
    expect(cache(16)).toBe(states + 4 * 16 * (2 * 8) * 2 * 4);
    expect(cache(1)).toBe(0);
  });

  test("the cache is of the whole batch, however many micro-batches it is", () => {
    const cache = (microBatches: number) =>
      needs({ workload: { sequence: 8, microBatches } }).keyValueCache;
    expect(cache(4)).toBe(cache(1));
  });

  test("a head of keys that several ranks share is on each of them", () => {
    const cache = (kvHeads: number) =>
      needs({
        hardware: { gpus: 4 },
        model: { kvHeads, moe: undefined },
        parallel: { tensor: 4, expert: 1 },
        workload: { sequence: 8 },
      }).keyValueCache;
    expect(cache(2)).toBe(cache(4));
    expect(cache(1)).toBe(cache(4));
  });

  test("sequence parallelism divides norms and residuals, context parallelism all rows", () => {
    const activations = (gpus: number, parallel: object) =>
      needs({
        hardware: { gpus },
        model: { moe: undefined },
        parallel: { tensor: 1, expert: 1, ...parallel },
        workload: { mode: "training", sequence: 64 },
      }).activations;
    const tensor = activations(2, { tensor: 2 });
    expect(activations(2, { tensor: 2, sequence: true })).toBeLessThan(tensor);
    const whole = activations(1, {});
    // Keys and values of the others are gathered.
    expect(activations(4, { context: 4 })).toBeLessThan(whole / 2);
    expect(activations(4, { context: 4 })).toBeGreaterThanOrEqual(whole / 4);
  });
});

describe("claims about memory", () => {
  const dense = {
    model: { moe: undefined },
    parallel: { expert: 1 },
    workload: { sequence: 2 },
  };
  const { total, least } = needs(dense);

  const share = (bytes: number, more: Parameters<typeof withDegrees>[0] = {}) =>
    withDegrees({
      ...dense,
      hardware: { memoryPerGpu: 2 * total },
      claims: { memoryUtilization: bytes / (2 * total) },
      ...more,
    });
  const judged = (...given: Parameters<typeof share>) =>
    judgementOf(share(...given), "memoryUtilization");

  test("a share is confirmed within 5 % of what the program allocates, and open above", () => {
    expect(judged(total)).toBe("confirmed");
    expect(judged(total / 1.0499)).toBe("confirmed");
    expect(judged(total / 0.9501)).toBe("confirmed");
    // An engine may reserve more than the plan needs.
    expect(judged(total / 0.9499)).toBe("untestable");
  });

  test("between what any run holds and what ours allocates it is open", () => {
    expect(least).toBeLessThan(0.9 * total);
    expect(judged(total / 1.0501)).toBe("ambiguous");
    expect(judged(least * 0.951)).toBe("ambiguous");
    expect(verdictOf(share(least * 0.949), "memoryUtilization")).toMatchObject({
      judgement: "refuted",
      reason: expect.stringContaining("every run of the plan holds at least"),
      provenance: "estimated",
    });
  });

  test("a share of a cache may be larger than the batch fills", () => {
    const workload = { batch: 4, sequence: 8 };
    const cached = needs({ ...dense, workload });
    expect(cached.keyValueCache).toBeGreaterThan(0);
    const of = (bytes: number) =>
      judgementOf(
        withDegrees({
          ...dense,
          workload,
          hardware: { memoryPerGpu: 4 * cached.total },
          claims: { memoryUtilization: bytes / (4 * cached.total) },
        }),
        "memoryUtilization",
      );
    expect(of(cached.total)).toBe("confirmed");
    expect(of(2 * cached.total)).toBe("untestable");
    expect(of(cached.least * 0.9)).toBe("refuted");
  });

  test("of memory left, more is as promised, less is open until nothing can leave so much", () => {
    const left = (bytes: number) =>
      judgementOf(
        withDegrees({
          ...dense,
          hardware: { memoryPerGpu: 2 * total },
          claims: { memoryAvailable: bytes },
        }),
        "memoryAvailable",
      );
    expect(left(total / 2)).toBe("confirmed");
    expect(left(total * 1.005)).toBe("confirmed");
    expect(left(total * 1.0051)).toBe("ambiguous");
    expect(left(2 * total - least * 0.951)).toBe("ambiguous");
    expect(left(2 * total - least * 0.949)).toBe("refuted");
  });

  test("against a datasheet's memory the bound gives 10 %", () => {
    const named = (part: number) => {
      const layer = linear(100_000, 100_000, { kind: "replicated", gpus: [0] });
      return judgementOf(
        {
          ...(stages(1, [[layer]]) as object),
          hardware: { gpus: 1, gpu: "H100-SXM" },
          claims: { memoryUtilization: 0.5 * part },
        },
        "memoryUtilization",
      );
    };
    expect(named(1)).toBe("confirmed");
    expect(named(0.901)).toBe("ambiguous");
    expect(named(0.899)).toBe("refuted");
  });

  test.each<[string, Parameters<typeof withDegrees>[0]]>([
    ["training", { workload: { mode: "training" } }],
    [
      "context parallelism of experts with a capacity",
      {
        hardware: { gpus: 4 },
        workload: { sequence: 8 },
        model: { moe: { experts: 6, topK: 2, capacityFactor: 1 } },
        parallel: { expert: 1, context: 2 },
      },
    ],
    ["an import's notes", { notes: [{ code: "biases-left-out", message: "biases" }] }],
    ["assumed shapes", { assumed: ["model.hidden"] }],
    ["assumed memory", { assumed: ["hardware.memoryPerGpu"] }],
  ])("what is not run or not known confirms nothing: %s", (_name, changes) => {
    const memoryPerGpu = 1e9;
    const plan = { ...dense, hardware: {}, ...changes };
    const hardware = Object.assign({ memoryPerGpu }, plan.hardware);
    for (const part of [1, 1.2]) {
      const bytes = part * needs({ ...plan, hardware }).total;
      const claims = { memoryUtilization: bytes / memoryPerGpu };
      expect(judgementOf(withDegrees({ ...plan, hardware, claims }), "memoryUtilization")).toBe(
        "untestable",
      );
    }
  });

  test("training that leaves less than its gradients, weights and inputs of blocks need is refuted", () => {
    const training = { workload: { mode: "training" } };
    const need = needs({ ...dense, ...training });
    expect(judged(need.least * 0.949, training)).toBe("refuted");
    expect(judged(need.least * 0.951, training)).toBe("untestable");
  });

  test("leaning on an assumed size it tells how many parameters there can be, and is never refuted", () => {
    const written = share(least / 2, { assumed: ["model.hidden"] });
    expect(verdictOf(written, "memoryUtilization")).toMatchObject({
      judgement: "untestable",
      leansOn: ["model.hidden"],
      needs: [
        expect.objectContaining({ relation: "at most", value: Math.floor(least / 2 / 4 + 1e-6) }),
      ],
    });
  });

  test("an assumed mode leaves both readings open", () => {
    const written = share(least / 2, { assumed: ["workload.mode"] });
    const { needs: open } = verdictOf(written, "memoryUtilization") ?? {};
    expect(open?.map(({ what }) => what)).toEqual([
      expect.stringContaining("inference"),
      expect.stringContaining("training"),
    ]);
  });

  test("without a memory size nothing is said", () => {
    const written = withDegrees({ claims: { memoryUtilization: 0.5 } });
    expect(verdictOf(written, "memoryUtilization")).toMatchObject({
      judgement: "untestable",
      reason: expect.stringContaining("hardware.memoryPerGpu"),
    });
  });
});
