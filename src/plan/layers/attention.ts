// Attention with its projections, and all that happens between them.

import { z } from "zod";
import { count } from "../schema_numbers.ts";
import { type LayerBase, leavesSum, type PlanLayer } from "./layer.ts";
import { parallel } from "./parallel.ts";
import { readRotary, type Rotary, rotaryFile } from "./rotary.ts";

/**
 * Attention through low-rank projections (DeepSeek V2, V3). `headDim` of the model is the part of a
 * head's query and key without positions; the rotary part of the key is shared by all heads.
 */
export interface LatentAttention {
  /** Absent: queries are projected at full rank. */
  readonly queryRank?: number;
  readonly keyValueRank: number;
  /** Of a head's query and key, beside `headDim`. */
  readonly rotaryDim: number;
  /** Of a head's value. */
  readonly valueDim: number;
}

/** Queries and keys are normalized before positions enter. */
export interface QkNorm {
  /**
   * `head`: root mean square of each head, with one head's weights for all (Qwen3); `each-head`: a layer norm of each
   * head, with weights of its own (Cohere); `all-heads`: root mean square of all heads together (OLMo 2); `unweighted`:
   * as `head`, without weights (Llama 4).
   */
  readonly kind: "head" | "each-head" | "all-heads" | "unweighted";
  readonly epsilon: number;
}

/**
 * Queries grow with their positions, so that attention stays sharp over long sequences (Llama 4): they are multiplied by
 * 1 + scale · ln(1 + floor((position + offset) / interval)), positions counted from 0.
 */
export interface QueryTemperature {
  readonly scale: number;
  readonly interval: number;
  readonly offset: number;
}

/** QKV column-parallel over heads, fused attention, output row-parallel, all-reduce. */
export interface AttentionLayer extends LayerBase {
  readonly op: "attention";
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** A query sees its own position and earlier ones; else all. */
  readonly causal: boolean;
  readonly biases?: readonly ("qkv" | "output")[];
  readonly qkNorm?: QkNorm;
  readonly rotary?: Rotary;
  readonly temperature?: QueryTemperature;
  /** Scores fall with the distance, each head's by a slope of its own (Press et al., 2022). */
  readonly alibi?: true;
  /** A query sees tokens fewer than that many away. */
  readonly window?: number;
  /** A query sees tokens of its own chunk of that many. */
  readonly chunk?: number;
  /** Of scores. Absent: 1 / √ of the width of a query. */
  readonly scale?: number;
  /** Scores become cap · tanh(score / cap). */
  readonly softcap?: number;
  /** A learned score of each head that no value belongs to. */
  readonly sinks?: true;
  readonly latent?: LatentAttention;
  /** The result is multiplied by sigmoids of a projection of the input, number by number (Qwen3-Next). */
  readonly outputGate?: true;
}

const positive = z.number().positive();

export const latentFile = z.strictObject({
  queryRank: count.exactOptional(),
  keyValueRank: count,
  rotaryDim: count,
  valueDim: count,
});

/** `offset`, where it is absent, is 0. */
export const temperatureFile = z.strictObject({
  scale: positive,
  interval: count,
  offset: z.int().nonnegative().max(1_000_000).exactOptional(),
});

const schema = z.strictObject({
  op: z.literal("attention"),
  hidden: count,
  heads: count,
  kvHeads: count.exactOptional(),
  headDim: count.exactOptional(),
  causal: z.boolean().exactOptional(),
  biases: z.array(z.enum(["qkv", "output"])).exactOptional(),
  qkNorm: z
    .strictObject({
      kind: z.enum(["head", "each-head", "all-heads", "unweighted"]),
      epsilon: positive.exactOptional(),
    })
    .exactOptional(),
  rotary: rotaryFile.exactOptional(),
  temperature: temperatureFile.exactOptional(),
  alibi: z.literal(true).exactOptional(),
  window: count.exactOptional(),
  chunk: count.exactOptional(),
  scale: positive.exactOptional(),
  softcap: positive.exactOptional(),
  sinks: z.literal(true).exactOptional(),
  latent: latentFile.exactOptional(),
  outputGate: z.literal(true).exactOptional(),
  parallel,
});

export const attention = {
  schema,
  kinds: ["tensor", "data"],
  read({ parallel: _, qkNorm, rotary, temperature, ...rest }, base): AttentionLayer {
    // Where hidden is no multiple of heads, a rule says so.
    const headDim = rest.headDim ?? Math.max(1, Math.floor(rest.hidden / rest.heads));
    const turned = rest.latent?.rotaryDim ?? headDim;
    return {
      ...base,
      kvHeads: rest.heads,
      causal: true,
      ...rest,
      headDim,
      ...(qkNorm === undefined ? {} : { qkNorm: { epsilon: 1e-5, ...qkNorm } }),
      ...(rotary === undefined ? {} : { rotary: readRotary(rotary, turned) }),
      ...(temperature === undefined ? {} : { temperature: { offset: 0, ...temperature } }),
    };
  },
  write: (layer, { gpus }) => ({ ...layer, parallel: { kind: "tensor", gpus } }),
  inputWidth: ({ hidden }) => hidden,
  outputWidth: ({ hidden }) => hidden,
  detail: ({ heads, kvHeads }) =>
    heads === kvHeads ? `${heads} heads` : `${heads}/${kvHeads} heads`,
  share: () => "heads",
  leaves: leavesSum,
  mixes: "tokens",
  inModel: (field) => [field === "outputGate" ? "attentionOutputGate" : field],
  buffers({ hidden, heads, headDim }, members, rows) {
    const columns = (headDim * heads) / members;
    return { weights: [hidden * columns], activations: [rows * columns] };
  },
} satisfies PlanLayer<AttentionLayer, z.infer<typeof schema>>;
