// Prefill and decode with caches give at every token what whole sequences give without.

import { describe, expect, test } from "vitest";
import type { PlanFile } from "../../../src/plan/schema.ts";
import { normalise } from "../../../src/plan/normalise.ts";
import type { Plan } from "../../../src/plan/plan.ts";
import { communicationCosts } from "../../../src/program/communication_cost.ts";
import { largestBuffers } from "../../../src/program/largest_buffers.ts";
import { stepPlan } from "../../../src/program/serving/phase_plan.ts";
import { simulateHardware } from "../../../src/program/simulate/simulate_hardware.ts";
import { estimatePlan } from "../../../src/program/estimate.ts";
import { lower } from "../../../src/program/lower.ts";
import type { BufferRole } from "../../../src/program/program.ts";
import { servedAttentionPlans } from "../../support/attention_plans.ts";
import { worstServedError } from "../../support/served.ts";

const model = { layers: 2, hidden: 16, heads: 4, kvHeads: 2, ffn: 24, gated: true };
const workload = { mode: "serving", batch: 2, inputTokens: 5, outputTokens: 4 } as const;

function planOf(
  gpus: number,
  { workload: more, model: own, ...rest }: { readonly [Key in keyof PlanFile]?: object },
): Plan {
  const { plan } = normalise({
    name: "served",
    hardware: { gpus },
    workload: { ...workload, ...more },
    model: { ...model, ...own },
    ...rest,
  } as unknown as PlanFile);
  if (plan === undefined) throw new Error("no plan");
  return plan;
}

const moe = { moe: { experts: 4, topK: 2, ffn: 12 } };
const chunks = { prefillChunk: 2, pageTokens: 3 };

const latent = { keyValueRank: 8, rotaryDim: 4, valueDim: 12 };
const latentModel = { kvHeads: 4, headDim: 8 };

const cases: readonly (readonly [string, Plan])[] = [
  ...servedAttentionPlans().map((plan): readonly [string, Plan] => [plan.name, plan]),
  [
    "rotary positions of whole prompts, attended without a cache",
    planOf(1, { model: { positions: { kind: "rotary" } } }),
  ],
  [
    "learned positions from a later row on",
    planOf(2, {
      model: { vocabulary: 30, positions: { kind: "learned", count: 12, offset: 2 } },
      parallel: { tensor: 2 },
      workload: chunks,
    }),
  ],
  [
    "latents of whole prompts, on two tensor groups with requests of their own",
    planOf(4, {
      model: {
        ...latentModel,
        positions: { kind: "rotary", interleaved: true },
        latent: { queryRank: 12, ...latent },
      },
      parallel: { tensor: 2, data: 2 },
      workload: { batch: 3, requests: 5, pageTokens: 3 },
    }),
  ],
  ["one rank", planOf(1, {})],
  ["token ids and a head", planOf(1, { model: { vocabulary: 31 } })],
  ["pages", planOf(1, { workload: { pageTokens: 3 } })],
  ["chunks", planOf(1, { workload: chunks })],
  [
    "chunks and a small budget",
    planOf(1, { workload: { ...chunks, requests: 5, scheduler: { maxBatchedTokens: 3 } } }),
  ],
  ["more requests than run at once", planOf(1, { workload: { requests: 5, pageTokens: 4 } })],
  ["waves of requests", planOf(1, { workload: { requests: 5, scheduler: { kind: "static" } } })],
  [
    "requests that come later",
    planOf(1, { workload: { ...chunks, requests: 5, scheduler: { requestsPerSecond: 300 } } }),
  ],
  [
    "a cache for each of two key heads",
    planOf(1, { hardware: { gpus: 1, maxBinding: 700 }, workload: chunks }),
  ],
  [
    "caches in two parts, slopes of heads",
    planOf(1, {
      hardware: { gpus: 1, maxBinding: 1200 },
      model: { kvHeads: 4, positions: { kind: "alibi" } },
      workload: { pageTokens: 3, prefillChunk: 2 },
    }),
  ],
  ["tensor", planOf(2, { parallel: { tensor: 2 }, workload: chunks })],
  [
    "fewer key heads than ranks",
    planOf(4, { parallel: { tensor: 4 }, workload: { pageTokens: 3 } }),
  ],
  [
    "tensor, along the sequence",
    planOf(2, { parallel: { tensor: 2, sequence: true }, workload: { ...chunks, batch: 2 } }),
  ],
  ["pipeline", planOf(2, { parallel: { pipeline: 2 }, workload: { ...chunks, microBatches: 2 } })],
  [
    "pipeline of virtual stages",
    planOf(2, {
      model: { layers: 4 },
      parallel: { pipeline: 2, virtualStages: 2 },
      workload: { ...chunks, batch: 4, microBatches: 2 },
    }),
  ],
  ["data", planOf(2, { parallel: { data: 2 }, workload: { ...chunks, batch: 3, requests: 7 } })],
  [
    "experts",
    planOf(2, {
      model: moe,
      parallel: { data: 2, expert: 2 },
      workload: { ...chunks, requests: 3 },
    }),
  ],
  [
    "experts over a tensor group",
    planOf(2, { model: { ...moe, vocabulary: 30 }, parallel: { tensor: 2, expert: 2 } }),
  ],
];

test("caches are cut as far as bindings ask for", () => {
  const caches = (plan: Plan) =>
    lower(plan).ranks[0]!.buffers.flatMap(({ id, role }) => (role === "cache" ? [id] : []));
  const of = (name: string): Plan => cases.find(([each]) => each === name)![1];
  expect(caches(of("chunks"))).toEqual(["blocks/1.attention/cache", "blocks/7.attention/cache"]);
  const own = ["blocks/1.attention/cache", "blocks/7.attention/cache"];
  const halves = own.flatMap((name) => [`${name} 1 of 2`, `${name} 2 of 2`]);
  expect(caches(of("a cache for each of two key heads"))).toEqual(halves);
  expect(caches(of("caches in two parts, slopes of heads"))).toEqual(halves);
});

describe("what is counted is what a program allocates", () => {
  test.each(cases)("%s", (_, plan) => {
    const estimated = estimatePlan(plan);
    for (const { rank, buffers } of lower(plan).ranks) {
      const bytesOf = (of: (role: BufferRole) => boolean): number =>
        buffers
          .filter(({ role, within }) => within === undefined && of(role))
          .reduce((sum, { bytes }) => sum + bytes, 0);
      const own = estimated.ranks[rank];
      expect(own?.memoryBytes).toBe(bytesOf(() => true));
      expect(own?.memoryByRole.cache).toBe(bytesOf((role) => role === "cache"));
      expect(estimated.memory[rank]?.keyValueCache).toBe(own?.memoryByRole.cache);
      expect(estimated.memory[rank]?.total).toBe(own?.memoryBytes);
    }
  });
});

describe("caches of latent attention", () => {
  /** DeepSeek V3's attention, in fewer heads. */
  const latentPlan = (parallel: object, gpus: number): Plan =>
    planOf(gpus, {
      model: {
        layers: 61,
        hidden: 64,
        heads: 8,
        kvHeads: 8,
        headDim: 128,
        latent: { queryRank: 24, keyValueRank: 512, rotaryDim: 64, valueDim: 128 },
      },
      parallel,
      workload: { dtype: "bf16", batch: 2, inputTokens: 10, outputTokens: 7 },
    });
  const perToken = 2 * 576 * 61;

  test.each([
    ["one rank", 1, {}, [2]],
    ["tensor ranks, each with all of them", 2, { tensor: 2 }, [2, 2]],
    ["replicas, each with those of its requests", 2, { data: 2 }, [1, 1]],
  ] as const)("have 576 numbers a token and layer: %s", (_, gpus, parallel, requests) => {
    const { memory } = estimatePlan(latentPlan(parallel, gpus));
    expect(memory.map(({ keyValueCache }) => keyValueCache)).toEqual(
      requests.map((count) => count * 16 * perToken),
    );
  });

  test("decode attends latents, a whole prompt keys and values of every head", () => {
    const kernelsOf = (phase: "decode" | "prefill"): Set<string> =>
      new Set(
        lower(latentPlan({}, 1)).ranks.flatMap(({ instructions }) =>
          instructions.flatMap((each) =>
            each.op === "kernel" && each.origin.serves === phase ? [each.kernel] : [],
          ),
        ),
      );
    const [decode, prefill] = [kernelsOf("decode"), kernelsOf("prefill")];
    expect([decode.has("head_matmul"), decode.has("attention")]).toEqual([true, false]);
    expect([prefill.has("head_matmul"), prefill.has("attention")]).toEqual([false, true]);
  });
});

describe("what else reads a plan reads its steps", () => {
  const own = planOf(2, { model: { vocabulary: 31 }, parallel: { tensor: 2 }, workload: chunks });

  test("the largest tensors are those of either phase", () => {
    const { binding } = largestBuffers(own);
    const all = lower(own).ranks.flatMap(({ buffers }) => buffers);
    expect(all.map(({ bytes }) => bytes)).toContain(binding);
    const held = all.filter(({ role }) => role === "weight" || role === "cache");
    expect(binding).toBeGreaterThanOrEqual(Math.max(...held.map(({ bytes }) => bytes)));
  });

  test("hardware that is played, and what is communicated, take a decode step", () => {
    const peaks = { flops: 1e12, bandwidth: 1e11 };
    const decode = stepPlan(own);
    const played = simulateHardware(own, peaks, 0);
    expect(played).toEqual(simulateHardware(decode, peaks, 0));
    // A token of each request.
    expect(played.tokensPerSecond).toBe(played.samplesPerSecond);
    expect(communicationCosts(own)).toEqual(communicationCosts(decode));
    // Sums of two rows of 16 numbers in f32, of another rank.
    expect(communicationCosts(own).map(({ worst }) => worst.received)).toContain(128);
  });
});

describe("serving computes what whole sequences do", () => {
  test.each(cases)("%s", async (_, plan) => {
    expect(await worstServedError(plan)).toBeLessThan(1e-6);
  });
});

describe("logits of a prefill step", () => {
  const headsOf = (plan: Plan): number[] => {
    const { ranks, layers } = lower(plan);
    return ranks.flatMap(({ instructions }) =>
      instructions.flatMap((each) =>
        each.op === "kernel" &&
        each.kernel === "matmul" &&
        each.origin.layer === layers.at(-1) &&
        each.origin.serves === "prefill"
          ? [each.shape.m]
          : [],
      ),
    );
  };

  test("are those of the last token of each request", () => {
    const own = planOf(2, { model: { vocabulary: 31 }, parallel: { data: 2 }, workload: chunks });
    expect(headsOf(own)).toEqual([1, 1]);
  });

  test("control: a plan that ends with hidden vectors gives all of them", () => {
    expect(lower(planOf(1, { workload: chunks })).phases?.prefill.output.rows).toBe(2 * 2);
  });
});
