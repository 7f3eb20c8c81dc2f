// Random plans by degrees that the check takes: data, tensor, pipeline, expert, context and sequence parallelism, in
// training and inference, small in every size.

import fc from "fast-check";
import { normalise } from "../../src/plan/normalise.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { type PlanFile, planSchema } from "../../src/plan/schema.ts";

export interface DegreesOptions {
  /** Ranks that share a sequence, at most; they do not run. */
  readonly maxContext?: number;
  readonly maxData?: number;
  /** Layers of a stage. */
  readonly maxDepth?: number;
}

export function arbitraryDegrees(options: DegreesOptions = {}): fc.Arbitrary<Plan> {
  return arbitraryDegreesFile(options).map((file) => {
    const { plan, diagnostics } = normalise(file);
    if (plan === undefined) throw new Error(JSON.stringify(diagnostics));
    return plan;
  });
}

/** As they are written. */
export function arbitraryDegreesFile({
  maxContext = 2,
  maxData = 6,
  maxDepth = 2,
}: DegreesOptions = {}): fc.Arbitrary<PlanFile> {
  return fc.gen().map((g) => {
    const integer = (min: number, max: number): number => g(fc.integer, { min, max });
    const one = <T>(...choices: readonly T[]): T => {
      const [first] = choices;
      const chosen = choices[integer(0, choices.length - 1)] ?? first;
      if (chosen === undefined) throw new Error("nothing to choose from");
      return chosen;
    };
    const often = (times: number): boolean => integer(1, times) > 1;
    const seldom = (times: number): boolean => !often(times);
    const tensor = one(1, 2, 2, 4);
    const pipeline = one(1, 1, 2, 3);
    const data = integer(1, maxData);
    const context = seldom(3) ? integer(1, maxContext) : 1;
    const chunks = pipeline > 1 && seldom(3) ? 2 : 1;
    const microBatches = pipeline * integer(1, 2);
    const mode = one("inference", "training");
    const stretch = seldom(4) ? 16 : 1;
    const ranks = tensor * context * data;
    const expertTensor = one(1, tensor);
    const expertDegrees = divisors(ranks / expertTensor);
    const expert = expertDegrees[integer(0, expertDegrees.length - 1)] ?? 1;
    const hasExperts = often(3);
    const says = { expert: often(3), slices: often(2) };
    const heads = tensor * integer(1, 2);
    const layers = pipeline * chunks * integer(1, maxDepth);
    const uneven = pipeline === 2 && chunks === 1 && seldom(3);
    const written = {
      name: "random",
      hardware: { gpus: ranks * pipeline + integer(0, 1), memoryPerGpu: "1GB" },
      workload: {
        mode,
        batch: microBatches * data * integer(1, 2),
        microBatches,
        sequence: 2 * context * tensor * stretch * integer(1, 2),
        dtype: one("f32", "f16"),
        ...(pipeline > 1 && seldom(2) ? { schedule: one("gpipe", "1f1b") } : {}),
        ...(mode === "training" && seldom(2) ? { recompute: one(...recomputations) } : {}),
      },
      model: {
        layers: uneven ? layers + 1 : layers,
        hidden: 4 * integer(1, 6),
        heads,
        kvHeads: one(1, tensor, heads),
        headDim: 4,
        ffn: tensor * integer(1, 5),
        gated: seldom(2),
        causal: often(3),
        norm: one("rms", "layer"),
        ...(often(2) ? { vocabulary: integer(3, 40), tiedEmbeddings: seldom(2) } : {}),
        ...(hasExperts
          ? {
              moe: {
                experts: (says.expert ? expert : 1) * integer(1, 3),
                topK: 1,
                ffn: tensor * integer(1, 3),
                dense: seldom(2),
                ...(seldom(3) ? { sharedFfn: tensor * integer(1, 3) } : {}),
                ...(seldom(3) ? { denseLayers: [0] } : {}),
                ...(seldom(4) ? { capacityFactor: one(0.5, 1.25) } : {}),
              },
            }
          : {}),
      },
      parallel: {
        tensor,
        pipeline,
        data,
        ...(context > 1 ? { context } : {}),
        ...(chunks > 1 ? { virtualStages: chunks } : {}),
        ...(uneven ? { layersPerStage: [layers / 2, layers / 2 + 1] } : {}),
        ...(tensor > 1 && seldom(2) ? { sequence: true } : {}),
        ...(hasExperts && says.expert ? { expert } : {}),
        ...(hasExperts && says.expert && says.slices ? { expertTensor } : {}),
        ...(seldom(2) ? { zero: integer(0, 3) } : {}),
      },
      optimizations: seldom(3) ? ["communication-overlap"] : [],
    };
    return planSchema.parse(written);
  });
}

const recomputations = [
  { granularity: "selective" },
  { granularity: "full", method: "uniform", layers: 1 },
  { granularity: "full", method: "block", layers: 1 },
];

function divisors(whole: number): number[] {
  return Array.from({ length: whole }, (_, i) => i + 1).filter((part) => whole % part === 0);
}
