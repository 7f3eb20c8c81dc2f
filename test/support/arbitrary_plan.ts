// Random small valid plans: any layers, splits, replicas and unequal groups on 1 to 4 ranks.

import fc, { type GeneratorValue } from "fast-check";
import { activations } from "../../src/plan/activation.ts";
import type { Plan } from "../../src/plan/plan.ts";
import type { AttentionLayer } from "../../src/plan/layers/attention.ts";
import { attention, linear, mlp, moe, norm, plan } from "./plans.ts";

type Draft = Parameters<typeof plan>[2][number][number];

export function arbitraryPlan(dtype: "f32" | "f16" = "f32"): fc.Arbitrary<Plan> {
  return fc.gen().map((g) => {
    const integer = (min: number, max: number): number => g(fc.integer, { min, max });
    const gpus = integer(1, 4);
    const samples = integer(1, 3);
    const microBatches = integer(1, 2);
    // Blocks that overlap are of 32 rows or more.
    const overlaps = integer(0, 3) === 0;
    // Each of up to four ranks has tokens to itself.
    const splitsTokens = integer(0, 2) === 0;
    const sequence = overlaps ? integer(20, 70) : splitsTokens ? integer(4, 9) : integer(1, 5);
    const groups = (): number[][] => drawGroups(g, gpus, samples);
    const stages: Draft[][] = [];
    let columns = integer(1, 9);
    for (let s = integer(1, 3); s > 0; s--) {
      const layers: Draft[] = [];
      const widths: number[] = [];
      for (let l = integer(1, 3); l > 0; l--) {
        widths.push(columns);
        const layer = drawLayer(g, columns, groups(), gpus, widths);
        const isTokenwise = layer.op === "norm" || layer.op === "residual";
        layers.push(splitsTokens && isTokenwise ? { ...layer, split: "tokens" } : layer);
        if (layer.op === "linear") columns = layer.out;
      }
      stages.push(layers);
    }
    // A mean over many rows may cancel to nothing, relative to which every error is large.
    if (!overlaps && integer(0, 3) === 0) {
      const over = integer(0, 1) === 0 ? "sequence" : "batch";
      stages.push([{ op: "aggregate", over, groups: groups() }]);
    }
    const first = stages[0]?.[0];
    const startsWithIds = first !== undefined && first.op !== "linear" && integer(0, 1) === 0;
    if (startsWithIds) {
      const group = groups();
      const whole = columnsOf(first) % (group[0]?.length ?? 1) === 0;
      const split = whole && integer(0, 1) === 0 ? "column" : "row";
      stages.unshift([
        {
          op: "embedding",
          vocabulary: integer(4, 13),
          hidden: columnsOf(first),
          split,
          groups: group,
        },
      ]);
    }
    return plan("random", gpus, stages, {
      optimizations: overlaps ? ["communication-overlap"] : [],
      workload: {
        batch: samples * microBatches,
        microBatches,
        sequence,
        dtype,
        seed: integer(0, 9),
      },
    });
  });
}

type Draw = GeneratorValue;

function columnsOf(layer: Draft): number {
  return layer.op === "linear" ? layer.in : layer.op === "aggregate" ? 1 : layer.hidden;
}

/** One to `samples` data replicas, each a tensor group of the same size, of distinct ranks. */
function drawGroups(g: Draw, gpus: number, samples: number): number[][] {
  const replicas = g(fc.integer, { min: 1, max: Math.min(samples, gpus) });
  const size = g(fc.integer, { min: 1, max: Math.floor(gpus / replicas) });
  const all = Array.from({ length: gpus }, (_, rank) => rank);
  const ranks = g(fc.shuffledSubarray<number>, all, {
    minLength: replicas * size,
    maxLength: replicas * size,
  });
  return Array.from({ length: replicas }, (_, r) => ranks.slice(r * size, (r + 1) * size));
}

function drawLayer(
  g: Draw,
  columns: number,
  groups: number[][],
  gpus: number,
  widths: readonly number[],
): Draft {
  const integer = (min: number, max: number): number => g(fc.integer, { min, max });
  const size = groups[0]?.length ?? 1;
  const kind = integer(0, 6);
  const anyActivation = () => activations[integer(0, activations.length - 1)] ?? "gelu";
  const biased = () => (integer(0, 2) === 0 ? { bias: true } : {});
  if (kind === 0)
    return mlp(columns, size * integer(1, 4), anyActivation(), groups, {
      gated: integer(0, 1) === 0,
      ...biased(),
    });
  if (kind === 1) {
    const heads = size * integer(1, 2);
    const kvHeads = [1, size, heads][integer(0, 2)] ?? 1;
    const plain = attention(columns, heads, kvHeads, groups, integer(0, 1) === 0);
    return { ...plain, ...drawRules(g) };
  }
  if (kind === 2) {
    const experts = integer(gpus, 6);
    const expertGpus = g(
      fc.shuffledSubarray<number>,
      Array.from({ length: gpus }, (_, i) => i),
      {
        minLength: 1,
        maxLength: gpus,
      },
    );
    // Named GPUs; slices on each tensor group; all experts on every GPU.
    const expertGroups = [
      [expertGpus.map((gpu) => [gpu])],
      groups.map((group) => (size === 4 ? group.map((gpu) => [gpu]) : [group])),
      groups.flat().map((gpu) => [[gpu]]),
    ][integer(0, 2)];
    return moe(columns, experts, integer(1, Math.min(3, experts)), groups, expertGpus, {
      ...(expertGroups === undefined ? {} : { expertGroups }),
      activation: anyActivation(),
      gated: integer(0, 1) === 0,
      renormalise: integer(0, 1) === 0,
      expertBias: integer(0, 2) === 0,
      routerBias: integer(0, 2) === 0,
      ...(integer(0, 1) ? { capacityFactor: [0.5, 1, 1.25][integer(0, 2)] ?? 1 } : {}),
    });
  }
  if (kind === 3) return norm(columns, groups, integer(0, 1) ? "rms" : "layer");
  if (kind === 4) {
    const same = widths.flatMap((width, i) => (width === columns ? [i] : []));
    const from = same[integer(0, same.length - 1)] ?? 0;
    return { op: "residual", hidden: columns, from, groups };
  }
  if (columns % size === 0 && integer(0, 1) === 0) {
    return { ...linear(columns, integer(1, 9), "row", groups), ...biased() };
  }
  return integer(0, 1) === 0
    ? { ...linear(columns, size * integer(1, 4), "column", groups, "relu"), ...biased() }
    : { ...linear(columns, integer(1, 9), "replicated", groups, "gelu"), ...biased() };
}

type AttentionRules = Partial<Omit<AttentionLayer, "op" | "name" | "groups">>;

/** What else an attention layer may have. */
function drawRules(g: fc.GeneratorValue): AttentionRules {
  const integer = (min: number, max: number): number => g(fc.integer, { min, max });
  const often = (part: AttentionRules): AttentionRules => (integer(0, 2) === 0 ? part : {});
  const kinds = ["head", "each-head", "all-heads", "unweighted"] as const;
  return {
    ...often({
      rotary: { base: 100, dims: 2 * integer(1, 2), interleaved: integer(0, 1) === 0 },
    }),
    ...often({ qkNorm: { kind: kinds[integer(0, 3)] ?? "head", epsilon: 1e-5 } }),
    ...often({ biases: integer(0, 1) === 0 ? ["qkv"] : ["qkv", "output"] }),
    ...often({ alibi: true }),
    ...often({ window: integer(1, 4) }),
    ...often({ chunk: integer(1, 4) }),
    ...often({ softcap: 2, scale: 0.7 }),
    ...often({ sinks: true }),
  };
}
