// What tiny models in the manner of Llama have in common: sizes, names of their tensors, and what these are called in
// GGUF.

import { stacked, type WholeWeight } from "../support/hashed_weights.ts";
import type { GgufTensor, GgufValue } from "./gguf.ts";
import { f32, gguf, metadataOf, u32 } from "./model.ts";

export const sizes = {
  vocabulary: 61,
  hidden: 32,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 8,
  ffn: 52,
  experts: 5,
  topK: 2,
  expertFfn: 28,
} as const;

export const base = 10_000;
export const epsilon = 1e-5;

const { vocabulary, hidden, layers, heads, kvHeads, headDim, ffn, experts, topK, expertFfn } =
  sizes;

/** Of a config.json. */
export const commonConfig = {
  vocab_size: vocabulary,
  hidden_size: hidden,
  num_hidden_layers: layers,
  num_attention_heads: heads,
  num_key_value_heads: kvHeads,
  head_dim: headDim,
  intermediate_size: ffn,
  hidden_act: "silu",
  rms_norm_eps: epsilon,
  rope_theta: base,
  max_position_embeddings: 64,
  tie_word_embeddings: false,
};

/** Of a GGUF file. */
export function commonMetadata(
  architecture: string,
  more: Readonly<Record<string, GgufValue>> = {},
): Record<string, GgufValue> {
  return metadataOf(architecture, {
    vocab_size: u32(vocabulary),
    context_length: u32(64),
    embedding_length: u32(hidden),
    block_count: u32(layers),
    feed_forward_length: u32(ffn),
    "attention.head_count": u32(heads),
    "attention.head_count_kv": u32(kvHeads),
    "attention.key_length": u32(headDim),
    "attention.value_length": u32(headDim),
    "attention.layer_norm_rms_epsilon": f32(epsilon),
    "rope.freq_base": f32(base),
    "rope.dimension_count": u32(headDim),
    ...more,
  });
}

/** A tensor of a checkpoint: its name without `.weight`, its shape, and its name in GGUF. */
export type Named = readonly [name: string, shape: readonly number[], gguf: string];

export const attention: readonly Named[] = [
  ["self_attn.q_proj", [heads * headDim, hidden], "attn_q"],
  ["self_attn.k_proj", [kvHeads * headDim, hidden], "attn_k"],
  ["self_attn.v_proj", [kvHeads * headDim, hidden], "attn_v"],
  ["self_attn.o_proj", [hidden, heads * headDim], "attn_output"],
];

export const mlp: readonly Named[] = [
  ["mlp.gate_proj", [ffn, hidden], "ffn_gate"],
  ["mlp.up_proj", [ffn, hidden], "ffn_up"],
  ["mlp.down_proj", [hidden, ffn], "ffn_down"],
];

export const preNorms: readonly Named[] = [
  ["input_layernorm", [hidden], "attn_norm"],
  ["post_attention_layernorm", [hidden], "ffn_norm"],
];

export function ends(isTied = false): readonly Named[] {
  return [
    ["model.embed_tokens", [vocabulary, hidden], "token_embd"],
    ["model.norm", [hidden], "output_norm"],
    ...(isTied ? [] : [["lm_head", [vocabulary, hidden], "output"] as const]),
  ];
}

/** `.weight` of what is named, and biases of those whose name matches. */
export interface Parts {
  readonly ends: readonly Named[];
  readonly block: readonly Named[];
  readonly biased?: RegExp;
}

function inBlock(name: string, i: number): string {
  return `model.layers.${i}.${name}`;
}

function suffixesOf([name]: Named, biased: RegExp | undefined): readonly string[] {
  return biased?.test(name) === true ? ["weight", "bias"] : ["weight"];
}

const blockIndices = Array.from({ length: layers }, (_, i) => i);

export function shapesOf({
  ends: outside,
  block,
  biased,
}: Parts): Record<string, readonly number[]> {
  const entries = (named: Named, prefix: (name: string) => string) =>
    suffixesOf(named, biased).map((suffix) => {
      const [name, shape] = named;
      const own = suffix === "weight" ? shape : shape.slice(0, 1);
      return [`${prefix(name)}.${suffix}`, own] as const;
    });
  return Object.fromEntries([
    ...outside.flatMap((named) => entries(named, (name) => name)),
    ...blockIndices.flatMap((i) =>
      block.flatMap((named) => entries(named, (name) => inBlock(name, i))),
    ),
  ]);
}

/** @param change of a tensor on its way, by its name without `.weight` and block */
export function tensorsOf(
  { ends: outside, block, biased }: Parts,
  weight: (name: string) => WholeWeight,
  change: (name: string, tensor: WholeWeight) => WholeWeight = (_, tensor) => tensor,
): GgufTensor[] {
  return [
    ...outside.map(([name, , to]) => gguf(`${to}.weight`, change(name, weight(`${name}.weight`)))),
    ...blockIndices.flatMap((i) =>
      block.flatMap((named) =>
        suffixesOf(named, biased).map((suffix) =>
          gguf(
            `blk.${i}.${named[2]}.${suffix}`,
            change(named[0], weight(`${inBlock(named[0], i)}.${suffix}`)),
          ),
        ),
      ),
    ),
  ];
}

/** Rows of each head turn by turn from its two halves: llama.cpp rotates neighbors where Llama rotates halves. */
export function interleavedHeads(tensor: WholeWeight, count: number): WholeWeight {
  const rows = tensor.shape[0] ?? 0;
  const size = tensor.values.length / rows;
  const half = rows / count / 2;
  const values = new Float32Array(tensor.values.length);
  for (let row = 0; row < rows; row++) {
    const [head, inner] = [Math.floor(row / (2 * half)), row % (2 * half)];
    const from = head * 2 * half + (inner % 2) * half + Math.floor(inner / 2);
    values.set(tensor.values.subarray(from * size, (from + 1) * size), row * size);
  }
  return { shape: tensor.shape, values };
}

/** Queries and keys as architectures with such an order have them. */
export function interleavedProjections(name: string, tensor: WholeWeight): WholeWeight {
  if (name === "self_attn.q_proj") return interleavedHeads(tensor, heads);
  return name === "self_attn.k_proj" ? interleavedHeads(tensor, kvHeads) : tensor;
}

/** One matrix per expert: `<name>.<expert>.<part>`. */
export function expertShapes(
  name: string,
  parts: Readonly<Record<"gate" | "up" | "down", string>>,
): Named[] {
  return Array.from({ length: experts }, (_, e): Named[] => [
    [`${name}.${e}.${parts.gate}`, [expertFfn, hidden], ""],
    [`${name}.${e}.${parts.up}`, [expertFfn, hidden], ""],
    [`${name}.${e}.${parts.down}`, [hidden, expertFfn], ""],
  ]).flat();
}

/** [experts, out, in] of each, as GGUF has them. */
export function expertTensors(
  name: string,
  parts: Readonly<Record<"gate" | "up" | "down", string>>,
  weight: (name: string) => WholeWeight,
): GgufTensor[] {
  return blockIndices.flatMap((i) =>
    (["gate", "up", "down"] as const).map((part) => {
      const all = Array.from({ length: experts }, (_, e) =>
        weight(`${inBlock(`${name}.${e}.${parts[part]}`, i)}.weight`),
      );
      const { values } = stacked(all);
      return gguf(`blk.${i}.ffn_${part}_exps.weight`, {
        shape: [experts, ...(all[0]?.shape ?? [])],
        values,
      });
    }),
  );
}

export const expertMetadata: Readonly<Record<string, GgufValue>> = {
  expert_count: u32(experts),
  expert_used_count: u32(topK),
  expert_feed_forward_length: u32(expertFfn),
};
