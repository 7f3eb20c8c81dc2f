// The models that torchtitan has under names: sizes as its own source defines them.

import type { ModelFile } from "../schema_model.ts";
import { yarnMagnitude } from "./hf_rotary.ts";
import { denseLayersKey, denseLayersOf } from "./hf_experts.ts";

const common = { gated: true, norm: "rms" } as const;

/** hidden, inner width, layers, heads, KV heads */
type Sizes = readonly [number, number, number, number, number];

function sized([hidden, ffn, layers, heads, kvHeads]: Sizes): ModelFile {
  return {
    ...common,
    layers,
    hidden,
    heads,
    kvHeads,
    ffn,
  };
}

function llama3(sizes: Sizes): ModelFile {
  return {
    ...sized(sizes),
    vocabulary: 128_256,
    positions: {
      kind: "rotary",
      base: 500_000,
      interleaved: true,
      scaling: {
        kind: "llama3",
        factor: 8,
        lowFrequencyFactor: 1,
        highFrequencyFactor: 4,
        originalPositions: 8192,
      },
    },
  };
}

function qwen3(sizes: Sizes): ModelFile {
  return {
    ...sized(sizes),
    vocabulary: 151_936,
    positions: { kind: "rotary", base: 1_000_000 },
    headDim: 128,
    qkNorm: true,
  };
}

/** @param ffn of one of 128 experts, of which each token passes eight */
function qwen3Experts(sizes: Sizes, ffn: number): ModelFile {
  return {
    ...qwen3(sizes),
    moe: { experts: 128, topK: 8, ffn, renormalise: true },
  };
}

function tied(model: ModelFile): ModelFile {
  return { ...model, tiedEmbeddings: true };
}

function layersWhere(test: (layer: number) => boolean): number[] {
  return Array.from({ length: 48 }, (_, layer) => layer).filter(test);
}

/** @param step every how manieth layer has experts */
function llama4(experts: number, step: number): ModelFile {
  return {
    ...common,
    layers: 48,
    hidden: 5120,
    heads: 40,
    kvHeads: 8,
    ffn: 16_384,
    vocabulary: 202_048,
    qkNorm: "l2",
    positions: {
      kind: "rotary",
      base: 500_000,
      interleaved: true,
      layersWithout: layersWhere((layer) => layer % 4 === 3),
    },
    chunkedAttention: { tokens: 8192, layers: layersWhere((layer) => layer % 4 !== 3) },
    attentionTemperature: {
      scale: 0.1,
      interval: 8192,
      offset: 1,
      layers: "without-positions",
    },
    moe: {
      experts,
      topK: 1,
      ffn: 8192,
      sharedFfn: 8192,
      renormalise: false,
      scoring: "sigmoid",
      weighsInput: true,
      ...denseLayersKey(denseLayersOf(48, (layer) => (layer + 1) % step !== 0)),
    },
  };
}

interface DeepseekSizes {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly ffn: number;
  readonly vocabulary: number;
  /** Absent: queries are projected at full rank. */
  readonly queryRank?: number;
  /** So many of the first layers have no experts. */
  readonly dense: number;
  readonly experts: number;
  readonly topK: number;
  readonly expertFfn: number;
  readonly shared: number;
  readonly renormalise: boolean;
  readonly routing: Pick<NonNullable<ModelFile["moe"]>, "scoring" | "groupLimit" | "routedScale">;
  /** Of what YaRN makes scores larger by. Absent: 1. */
  readonly scoreScale?: number;
}

const yarnFactor = 40;

function deepseek(sizes: DeepseekSizes): ModelFile {
  const { layers, hidden, heads, ffn, vocabulary, queryRank, dense } = sizes;
  const { experts, topK, expertFfn, shared, renormalise, routing, scoreScale = 1 } = sizes;
  return {
    ...common,
    layers,
    hidden,
    heads,
    ffn,
    vocabulary,
    headDim: 128,
    latent: {
      ...(queryRank === undefined ? {} : { queryRank }),
      keyValueRank: 512,
      rotaryDim: 64,
      valueDim: 128,
    },
    positions: {
      kind: "rotary",
      interleaved: true,
      scaling: {
        kind: "yarn",
        factor: yarnFactor,
        originalPositions: 4096,
        attentionFactor: 1,
      },
    },
    attentionScale: yarnMagnitude(yarnFactor, scoreScale) ** 2 / Math.sqrt(128 + 64),
    moe: {
      experts,
      topK,
      ffn: expertFfn,
      sharedFfn: shared * expertFfn,
      renormalise,
      routingBias: true,
      ...routing,
      ...denseLayersKey(denseLayersOf(layers, (layer) => layer < dense)),
    },
  };
}

const flavors: Readonly<Record<string, Readonly<Record<string, ModelFile>>>> = {
  llama3: {
    "8B": llama3([4096, 14_336, 32, 32, 8]),
    "70B": llama3([8192, 28_672, 80, 64, 8]),
    "405B": llama3([16_384, 53_248, 126, 128, 8]),
  },
  llama4: {
    "17bx16e": llama4(16, 1),
    "17bx128e": llama4(128, 2),
  },
  qwen3: {
    "0.6B": tied(qwen3([1024, 3072, 28, 16, 8])),
    "1.7B": tied(qwen3([2048, 6144, 28, 16, 8])),
    "4B": tied(qwen3([2560, 9728, 36, 32, 8])),
    "8B": qwen3([4096, 12_288, 36, 32, 8]),
    "14B": qwen3([5120, 17_408, 40, 40, 8]),
    "32B": qwen3([5120, 25_600, 64, 64, 8]),
    "30B-A3B": qwen3Experts([2048, 6144, 48, 32, 4], 768),
    "235B-A22B": qwen3Experts([4096, 12_288, 94, 64, 4], 1536),
  },
  deepseek_v3: {
    "16B": deepseek({
      layers: 27,
      hidden: 2048,
      heads: 16,
      ffn: 10_944,
      vocabulary: 102_400,
      dense: 1,
      experts: 64,
      topK: 6,
      expertFfn: 1408,
      shared: 2,
      renormalise: true,
      routing: { scoring: "sigmoid" },
      scoreScale: 0.7,
    }),
    "236B": deepseek({
      layers: 60,
      hidden: 5120,
      heads: 128,
      ffn: 12_288,
      vocabulary: 102_400,
      queryRank: 1536,
      dense: 1,
      experts: 160,
      topK: 6,
      expertFfn: 1536,
      shared: 2,
      renormalise: false,
      routing: {
        groupLimit: { groups: 8, topGroups: 3, scoredBy: "best" },
        routedScale: 16,
      },
    }),
    "671B": deepseek({
      layers: 61,
      hidden: 7168,
      heads: 128,
      ffn: 18_432,
      vocabulary: 129_280,
      queryRank: 1536,
      dense: 3,
      experts: 256,
      topK: 8,
      expertFfn: 2048,
      shared: 1,
      renormalise: true,
      routing: {
        scoring: "sigmoid",
        groupLimit: { groups: 8, topGroups: 4, scoredBy: "two-best" },
        routedScale: 2.5,
      },
    }),
  },
};

/** Undefined where no model has that name. */
export function torchtitanModel(name: string, flavor: string): ModelFile | undefined {
  const found = Object.hasOwn(flavors, name) ? flavors[name] : undefined;
  return found !== undefined && Object.hasOwn(found, flavor) ? found[flavor] : undefined;
}
