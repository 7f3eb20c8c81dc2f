// Plans made smaller: what divides them still does, each rank keeps its share, and nothing is larger than it was.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planErrors } from "../../../src/check/check_plan.ts";
import { expertTensorOf } from "../../../src/plan/mesh.ts";
import { normalise } from "../../../src/plan/normalise.ts";
import type { Plan } from "../../../src/plan/plan.ts";
import { type Dimension, sizesDown } from "../../../src/plan/scale/dimension.ts";
import { dimensions, restored, scalePlan } from "../../../src/plan/scale/scale_plan.ts";
import { type PlanFile, planSchema } from "../../../src/plan/schema.ts";
import { degreesOf, modelOf } from "../../../src/plan/stages_from_degrees.ts";
import { arbitraryDegreesFile } from "../../support/arbitrary_degrees.ts";

function planOf(file: PlanFile): Plan {
  const { plan } = normalise(file);
  if (plan === undefined) throw new Error("it has no meaning");
  return plan;
}

function errorsOf(file: PlanFile): string[] {
  const document = { file: "", text: "", format: "json", value: file, written: file } as const;
  return planErrors(planOf(file), document).map(({ code, message }) => `${code}: ${message}`);
}

function named(name: string): Dimension {
  const found = dimensions.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no dimension ${name}`);
  return found;
}

function scaled(file: PlanFile, sizes: Readonly<Record<string, number>>): PlanFile {
  return scalePlan(file, new Map(Object.entries(sizes).map(([name, size]) => [named(name), size])));
}

function written(file: Record<string, unknown>): PlanFile {
  return planSchema.parse(file);
}

/** 80 layers of Llama 3 70B on eight tensor ranks. */
const llama = written({
  name: "llama",
  hardware: { gpus: 8 },
  workload: { batch: 4, microBatches: 2, sequence: 1024, dtype: "f16" },
  model: {
    layers: 80,
    hidden: 8192,
    heads: 64,
    kvHeads: 8,
    ffn: 28672,
    gated: true,
    vocabulary: 128_256,
  },
  parallel: { tensor: 8 },
  claims: { samplesPerSecond: 3 },
});

/** Three dense layers first, then experts, on sixteen data ranks that hold sixteen experts each. */
const deepseek = written({
  name: "deepseek",
  hardware: { gpus: 16 },
  workload: { batch: 32, sequence: 64, dtype: "f16" },
  model: {
    layers: 61,
    hidden: 7168,
    heads: 128,
    headDim: 128,
    ffn: 18432,
    gated: true,
    vocabulary: 129_280,
    moe: { experts: 256, topK: 8, ffn: 2048, denseLayers: [0, 1, 2] },
  },
  parallel: { data: 16, expert: 16 },
});

describe("scaling a plan", () => {
  test("whatever the sizes, the plan stays sound and no dimension grows", () => {
    const sizes = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
      minLength: dimensions.length,
      maxLength: dimensions.length,
    });
    fc.assert(
      fc.property(arbitraryDegreesFile({ maxDepth: 4 }), sizes, (full, shares) => {
        if (errorsOf(full).length > 0) return;
        const chosen = new Map<Dimension, number>();
        for (const [at, dimension] of dimensions.entries()) {
          const whole = dimension.full(full);
          const least = dimension.least(full);
          const share = shares[at] ?? 1;
          if (whole !== undefined) {
            chosen.set(dimension, Math.round(least + share * (whole - least)));
          }
        }
        const small = scalePlan(full, chosen);
        expect(errorsOf(small)).toEqual([]);
        for (const dimension of dimensions) {
          expect(dimension.full(small) ?? 1).toBeLessThanOrEqual(dimension.full(full) ?? 1);
        }
      }),
      { numRuns: 100 },
    );
  });

  test("control: full sizes change nothing", () => {
    const full = new Map(dimensions.map((each) => [each, each.full(llama) ?? 1]));
    expect(scalePlan(llama, full)).toBe(llama);
  });

  test("claims are of the full plan, and stay there", () => {
    expect(scaled(llama, { layers: 2 })).not.toHaveProperty("claims");
    expect(scaled(llama, { layers: 2 }).name).toBe("llama-fit");
  });

  test("each dimension that is made smaller is restored again", () => {
    expect(new Set(restored)).toEqual(new Set(dimensions));
  });

  test("with a tensor rank go its heads, slices and rows of the vocabulary", () => {
    const small = scaled(llama, { "tensor ranks": 2 });
    expect(small.parallel?.tensor).toBe(2);
    expect(small.hardware.gpus).toBe(2);
    expect(small.model).toMatchObject({
      hidden: 8192,
      heads: 16,
      kvHeads: 2,
      headDim: 128,
      ffn: 7168,
      vocabulary: 32_064,
    });
  });

  test("with fewer samples go replicas, and the experts of theirs", () => {
    const small = scaled(deepseek, { "data replicas": 2 });
    expect(small.workload.batch).toBe(4);
    expect(degreesOf(small)).toMatchObject({ data: 2, expert: 2 });
    expect(small.model?.moe).toMatchObject({ experts: 32, topK: 8 });
  });

  test("of serving, requests are fewer and shorter, and each of those at once is one", () => {
    const { claims: _, ...rest } = llama;
    const full = written({
      ...rest,
      workload: {
        mode: "serving",
        batch: 8,
        requests: 32,
        inputTokens: 500,
        outputTokens: 60,
        prefillChunk: 256,
      },
    });
    const small = scaled(full, {
      requests: 5,
      "input tokens": 100,
      "output tokens": 9,
      "samples per micro-batch": 2,
    });
    expect(small.workload).toMatchObject({
      batch: 2,
      requests: 5,
      inputTokens: 100,
      outputTokens: 9,
    });
    expect(errorsOf(small)).toEqual([]);
    expect(named("samples per micro-batch").least(full)).toBe(1);
    expect(named("requests").full(llama)).toBeUndefined();
  });

  test("a router keeps a choice", () => {
    const small = scaled(deepseek, { "data replicas": 1, experts: 1 });
    expect(small.model?.moe).toMatchObject({ experts: 9, topK: 8 });
  });

  test.each([
    [2, [0]],
    [8, [0]],
    [40, [0, 1]],
  ])("of %i layers both kinds stay, in about their shares", (layers, denseLayers) => {
    const small = scaled(deepseek, { layers });
    expect(small.model).toMatchObject({ layers, moe: { denseLayers } });
  });

  test("each rank of a pipeline keeps a block in each of its chunks", () => {
    const interleaved = written({
      ...llama,
      hardware: { gpus: 32 },
      workload: { batch: 16, microBatches: 8, sequence: 8 },
      parallel: { tensor: 8, pipeline: 4, virtualStages: 5 },
    });
    expect(scaled(interleaved, { layers: 1 }).model?.layers).toBe(20);
    expect(scaled(interleaved, { "micro-batches": 1 }).workload).toMatchObject({
      batch: 8,
      microBatches: 4,
    });
    const joined = scaled(interleaved, { "pipeline ranks": 2, layers: 1 });
    expect(joined.parallel?.pipeline).toBe(2);
    expect(joined.model?.layers).toBe(10);
  });

  test("stages of unequal length keep their order of length", () => {
    const uneven = written({
      ...llama,
      hardware: { gpus: 16 },
      parallel: { tensor: 8, pipeline: 2, layersPerStage: [38, 42] },
    });
    const small = scaled(uneven, { layers: 20 });
    expect(small.parallel?.layersPerStage).toEqual([9, 10]);
    expect(small.model?.layers).toBe(19);
  });

  test("a narrower model has whole heads on each rank, and all widths in proportion", () => {
    const small = scaled(llama, { "hidden size": 3000 });
    expect(small.model).toMatchObject({ hidden: 2048, heads: 16, kvHeads: 2, ffn: 7168 });
    expect(errorsOf(small)).toEqual([]);
  });

  test("what tensor parallelism leaves on a rank is what it left", () => {
    fc.assert(
      fc.property(
        arbitraryDegreesFile({ maxDepth: 2 }),
        fc.integer({ min: 1, max: 8 }),
        (full, size) => {
          if (named("tensor ranks").full(full) === undefined || errorsOf(full).length > 0) return;
          const small = scaled(full, { "tensor ranks": size });
          const [before, after] = [degreesOf(full), degreesOf(small)];
          if (full.model === undefined || small.model === undefined) return;
          const [wide, narrow] = [modelOf(full.model), modelOf(small.model)];
          expect(narrow.heads / after.tensor).toBe(wide.heads / before.tensor);
          expect(narrow.ffn / after.tensor).toBe(wide.ffn / before.tensor);
          expect((narrow.moe?.ffn ?? 0) / expertTensorOf(after)).toBe(
            (wide.moe?.ffn ?? 0) / expertTensorOf(before),
          );
        },
      ),
      { numRuns: 100 },
    );
  });

  test("stages that are written out keep their layers: only batch and sequence go", () => {
    const stages = written({
      name: "stages",
      hardware: { gpus: 2 },
      workload: { batch: 64, microBatches: 4, sequence: 8 },
      stages: [
        {
          name: "a",
          layers: [{ op: "linear", in: 8, out: 8, parallel: { kind: "data", gpus: [0] } }],
        },
        {
          name: "b",
          layers: [{ op: "linear", in: 8, out: 8, parallel: { kind: "data", gpus: [1] } }],
        },
      ],
      communications: [{ name: "move", op: "send", from: [0], to: [1], payload: 4096 }],
    });
    const possible = dimensions.filter((each) => each.full(stages) !== undefined);
    expect(possible.map(({ name }) => name)).toEqual([
      "micro-batches",
      "samples per micro-batch",
      "sequence",
    ]);
    const small = scaled(stages, { "micro-batches": 2, "samples per micro-batch": 8, sequence: 4 });
    expect(small.workload).toMatchObject({ batch: 16, microBatches: 2, sequence: 4 });
    expect(small.communications?.[0]?.payload).toBe(1024);
    expect(small.stages).toEqual(stages.stages);
  });
});

describe("sizes to try", () => {
  test.each([
    [5, 2, [5, 4, 3, 2]],
    [1, 1, [1]],
    [7, 7, [7]],
  ])("from %i down to %i: %j", (full, least, sizes) => {
    expect(sizesDown(full, least)).toEqual(sizes);
  });

  test("they fall, from the full size to the least, for any sizes", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (full, share) => {
          const least = Math.max(1, Math.floor(full * share));
          const sizes = sizesDown(full, least);
          expect(sizes[0]).toBe(full);
          expect(sizes.at(-1)).toBe(least);
          expect(sizes.every((size, i) => i === 0 || size < (sizes[i - 1] ?? 0))).toBe(true);
          expect(sizes.length).toBeLessThan(150);
        },
      ),
    );
  });
});
