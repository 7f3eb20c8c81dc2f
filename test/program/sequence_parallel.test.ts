import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Plan } from "../../src/plan/plan.ts";
import { describeStages } from "../../src/program/describe.ts";
import { estimatePlan } from "../../src/program/estimate.ts";
import { lower } from "../../src/program/lower.ts";
import { arbitraryPlan } from "../support/arbitrary_plan.ts";
import { sequencePlan, sequencePlans } from "../support/sequence_plans.ts";
import { worstError } from "../support/worst_error.ts";

/** The same plan, every rank with all tokens of its group. */
function whole(given: Plan): Plan {
  return {
    ...given,
    stages: given.stages.map((stage) => ({
      ...stage,
      layers: stage.layers.map((layer) => {
        if (layer.op !== "norm" && layer.op !== "residual") return layer;
        const { split: _, ...rest } = layer;
        return rest;
      }),
    })),
  };
}

/** What a rank does for one micro-batch, without inputs and observations. */
function wordsOf(given: Plan, rank = 0): string[] {
  return (lower(given).ranks[rank]?.instructions ?? []).flatMap((one) => {
    if (one.origin.microBatch > 0 || one.op === "input" || one.op === "observe") return [];
    return [one.op === "kernel" ? one.kernel : one.op];
  });
}

test("norms are computed on each rank's tokens, gathered before a product and scattered after it", () => {
  const given = sequencePlan({ parallel: "{ tensor: 2, sequence: true }" });
  const attention = ["matmul", "attention", "matmul"];
  const mlp = ["matmul", "matmul"];
  const words = [
    ["embedding", "reduce-scatter"],
    ["rms_norm", "all-gather", ...attention, "reduce-scatter"],
    ["add_rms_norm", "all-gather", ...mlp, "reduce-scatter"],
    ["add_rms_norm", "all-gather", "matmul"],
  ];
  expect(wordsOf(given)).toEqual(words.flat());
  const rows = lower(given).ranks.map(({ instructions }) =>
    instructions.flatMap((one) =>
      one.op === "kernel" && (one.kernel === "rms_norm" || one.kernel === "add_rms_norm")
        ? [one.shape.rows]
        : [],
    ),
  );
  // A micro-batch has 2 samples of 10 tokens.
  expect(new Set(rows.flat())).toEqual(new Set([10]));
});

test("experts route tokens from where their norm left them", () => {
  const given = sequencePlan({
    model: "moe: { experts: 4, topK: 2, ffn: 6 }",
    parallel: "{ tensor: 2, expert: 2, sequence: true }",
  });
  const words = wordsOf(given);
  expect(words).not.toContain("copy");
  expect(words.filter((word) => word === "all-gather")).toHaveLength(2);
});

test("between stages each rank sends its tokens alone", () => {
  const given = sequencePlan({
    gpus: 4,
    model: "layers: 2",
    parallel: "{ tensor: 2, pipeline: 2, sequence: true }",
  });
  const sends = estimatePlan(given).collectives.filter(({ op }) => op === "send");
  expect(sends.flatMap(({ groups }) => groups)).toEqual([
    { from: [0], to: [2] },
    { from: [1], to: [3] },
  ]);
  const sent = estimatePlan(whole(given)).collectives.filter(({ op }) => op === "send");
  const bytes = (of: typeof sends): number => of.reduce((sum, { wireBytes }) => sum + wireBytes, 0);
  expect(bytes(sends) * 2).toBe(bytes(sent));
});

test("its picture has each norm as a step, with the gather that follows", () => {
  const given = sequencePlan({ parallel: "{ tensor: 2, sequence: true }" });
  const [stage] = describeStages(given, estimatePlan(given).collectives);
  const steps = stage?.blocks.flatMap((block) => block.steps) ?? [];
  expect(steps.map(({ title, flows }) => [title, ...flows.map(({ op }) => op)])).toEqual([
    ["embedding", "reduce-scatter"],
    ["norm", "all-gather"],
    ["attention", "reduce-scatter"],
    ["norm", "all-gather"],
    ["mlp", "reduce-scatter"],
    ["norm", "all-gather"],
    ["linear"],
  ]);
  expect(steps[1]?.shards.map(({ text }) => text)).toEqual(["tokens 1/2", "tokens 2/2"]);
});

describe("it computes what the layers mean", () => {
  test.each(sequencePlans.map((each) => [each.name, each] as const))("%s", async (_, given) => {
    expect(await worstError(given)).toBeLessThan(1e-6);
  });
});

describe("memory and wire", () => {
  test.each([2, 3, 4, 8])(
    "on %i ranks activations of norms and residuals shrink by as much",
    (t) => {
      const given = sequencePlan({
        gpus: t,
        microBatches: 1,
        sequence: 48,
        model: `hidden: ${24 * 4}, heads: 24, kvHeads: 24, headDim: 4, ffn: ${24 * 4}`,
        parallel: `{ tensor: ${t}, sequence: true }`,
      });
      const bytesOf = (of: Plan): number =>
        lower(of).ranks[0]!.buffers.reduce(
          (sum, { id, role, bytes }) =>
            role === "activation" && /\d\.(norm|residual)\/out$/.test(id) ? sum + bytes : sum,
          0,
        );
      expect(bytesOf(given) * t).toBe(bytesOf(whole(given)));
    },
  );

  test.each([2, 4])(
    "on %i ranks a gather and a scatter move what a ring of all-reduce does",
    (t) => {
      const given = sequencePlan({ gpus: t, parallel: `{ tensor: ${t}, sequence: true }` });
      const { ranks } = estimatePlan(given);
      // Scattered are the results of embedding, attention and MLP; gathered what attention, MLP and head read.
      const payload = 20 * 16 * 4;
      const perMicroBatch = (3 + 3) * payload * ((t - 1) / t);
      expect(ranks.map(({ receivedBytes }) => receivedBytes)).toEqual(
        Array<number>(t).fill(2 * perMicroBatch),
      );
    },
  );

  test("gathered activations share one buffer, however many layers there are", () => {
    const gathered = (layers: number): number =>
      lower(sequencePlan({ model: `layers: ${layers}`, parallel: "{ tensor: 2, sequence: true }" }))
        .ranks[0]!.buffers.filter(({ id }) => id.startsWith("gathered"))
        .reduce((sum, { bytes }) => sum + bytes, 0);
    expect(gathered(1)).toBe(20 * 16 * 4);
    expect(gathered(3)).toBe(gathered(1));
  });

  const declared = (given: Plan): number[] =>
    lower(given).ranks.map(({ buffers }) =>
      buffers.reduce((sum, { bytes, within }) => (within === undefined ? sum + bytes : sum), 0),
    );
  const estimated = (given: Plan): number[] =>
    estimatePlan(given).ranks.map(({ memoryBytes }) => memoryBytes);

  test.each(sequencePlans.map((each) => [each.name, each] as const))(
    "%s: the estimate is what is declared, to the byte",
    (_, given) => {
      expect(estimated(given)).toEqual(declared(given));
    },
  );

  test.each(["f32", "f16"] as const)("and so it is of any plan in %s", (dtype) => {
    fc.assert(
      fc.property(arbitraryPlan(dtype), (given) => {
        expect(estimated(given)).toEqual(declared(given));
      }),
      { numRuns: 200 },
    );
  });
});
