// DeepSeek V3: latent attention, a dense block first, then experts beside a shared one, routed by sigmoids with a bias.
// llama.cpp attends the latents themselves, where we make keys and values of every head.

import {
  rowsOfWeight,
  stacked,
  transposed,
  type WholeWeight,
} from "../../support/hashed_weights.ts";
import {
  commonConfig,
  commonMetadata,
  ends,
  expertMetadata,
  mlp,
  type Named,
  preNorms,
  sizes,
} from "../decoder.ts";
import type { GgufTensor } from "../gguf.ts";
import { f32, gguf, type PeerModel, u32 } from "../model.ts";

const { hidden, heads, experts, topK, expertFfn } = sizes;

const latent = { queries: 20, keysAndValues: 16, plain: 8, rotary: 4, value: 12 } as const;
const sharedExperts = 2;
const scale = 2.5;
/** Of the norms at the ranks, which is the only one that published code has. */
const epsilon = 1e-6;
const headDim = latent.plain + latent.rotary;

const attention: readonly Named[] = [
  ...preNorms,
  ["self_attn.q_a_proj", [latent.queries, hidden], "attn_q_a"],
  ["self_attn.q_a_layernorm", [latent.queries], "attn_q_a_norm"],
  ["self_attn.q_b_proj", [heads * headDim, latent.queries], "attn_q_b"],
  ["self_attn.kv_a_proj_with_mqa", [latent.keysAndValues + latent.rotary, hidden], "attn_kv_a_mqa"],
  ["self_attn.kv_a_layernorm", [latent.keysAndValues], "attn_kv_a_norm"],
  ["self_attn.o_proj", [hidden, heads * latent.value], "attn_output"],
];

const shared = sharedExperts * expertFfn;

const dense = "model.layers.0";
const sparse = "model.layers.1";

const sparseNetwork: readonly Named[] = [
  ["mlp.gate", [experts, hidden], "ffn_gate_inp"],
  ["mlp.shared_experts.gate_proj", [shared, hidden], "ffn_gate_shexp"],
  ["mlp.shared_experts.up_proj", [shared, hidden], "ffn_up_shexp"],
  ["mlp.shared_experts.down_proj", [hidden, shared], "ffn_down_shexp"],
];

const all: readonly (readonly [block: string, gguf: string, Named])[] = [
  ...ends().map((named) => ["", "", named] as const),
  ...[...attention, ...mlp].map((named) => [`${dense}.`, "blk.0.", named] as const),
  ...[...attention, ...sparseNetwork].map((named) => [`${sparse}.`, "blk.1.", named] as const),
];

const upProjection = [heads * (latent.plain + latent.value), latent.keysAndValues] as const;
const correction = `${sparse}.mlp.gate.e_score_correction_bias`;
const ofExpert = { gate: "gate_proj", up: "up_proj", down: "down_proj" } as const;

function expertName(expert: number, part: keyof typeof ofExpert): string {
  return `${sparse}.mlp.experts.${expert}.${ofExpert[part]}.weight`;
}

function expertShape(part: keyof typeof ofExpert): readonly number[] {
  return part === "down" ? [hidden, expertFfn] : [expertFfn, hidden];
}

const expertIndices = Array.from({ length: experts }, (_, expert) => expert);
const expertParts = ["gate", "up", "down"] as const;

function stackedAs(parts: readonly WholeWeight[]): WholeWeight {
  return { shape: [parts.length, ...(parts[0]?.shape ?? [])], values: stacked(parts).values };
}

/** Of each head the part of keys, turned, and that of values. */
function upProjections(weight: WholeWeight, block: number): GgufTensor[] {
  const each = Array.from({ length: heads }, (_, head) => head * (latent.plain + latent.value));
  const keys = each.map((first) => transposed(rowsOfWeight(weight, first, latent.plain)));
  const values = each.map((first) => rowsOfWeight(weight, first + latent.plain, latent.value));
  return [
    gguf(`blk.${block}.attn_k_b.weight`, stackedAs(keys)),
    gguf(`blk.${block}.attn_v_b.weight`, stackedAs(values)),
  ];
}

export const deepseekV3: PeerModel = {
  name: "DeepSeek V3",
  config: {
    ...commonConfig,
    architectures: ["DeepseekV3ForCausalLM"],
    model_type: "deepseek_v3",
    head_dim: undefined,
    num_key_value_heads: heads,
    rms_norm_eps: epsilon,
    q_lora_rank: latent.queries,
    kv_lora_rank: latent.keysAndValues,
    qk_nope_head_dim: latent.plain,
    qk_rope_head_dim: latent.rotary,
    v_head_dim: latent.value,
    n_routed_experts: experts,
    n_shared_experts: sharedExperts,
    num_experts_per_tok: topK,
    moe_intermediate_size: expertFfn,
    first_k_dense_replace: 1,
    moe_layer_freq: 1,
    n_group: 1,
    topk_group: 1,
    topk_method: "noaux_tc",
    scoring_func: "sigmoid",
    norm_topk_prob: true,
    routed_scaling_factor: scale,
    rope_scaling: null,
  },
  shapes: {
    ...Object.fromEntries(
      all.map(([block, , [name, shape]]) => [`${block}${name}.weight`, shape] as const),
    ),
    [`${dense}.self_attn.kv_b_proj.weight`]: upProjection,
    [`${sparse}.self_attn.kv_b_proj.weight`]: upProjection,
    [correction]: [experts],
    ...Object.fromEntries(
      expertIndices.flatMap((expert) =>
        expertParts.map((part) => [expertName(expert, part), expertShape(part)] as const),
      ),
    ),
  },
  gguf: {
    metadata: commonMetadata("deepseek2", {
      ...expertMetadata,
      "attention.head_count_kv": u32(1),
      "attention.layer_norm_rms_epsilon": f32(epsilon),
      "attention.q_lora_rank": u32(latent.queries),
      "attention.kv_lora_rank": u32(latent.keysAndValues),
      "attention.key_length": u32(latent.keysAndValues + latent.rotary),
      "attention.value_length": u32(latent.keysAndValues),
      "attention.key_length_mla": u32(headDim),
      "attention.value_length_mla": u32(latent.value),
      "rope.dimension_count": u32(latent.rotary),
      leading_dense_block_count: u32(1),
      expert_shared_count: u32(sharedExperts),
      expert_weights_scale: f32(scale),
      expert_weights_norm: { type: "bool", value: true },
      // Of sigmoids.
      expert_gating_func: u32(2),
    }),
    tensors: (weight) => [
      ...all.map(([block, to, [name, , own]]) =>
        gguf(`${to}${own}.weight`, weight(`${block}${name}.weight`)),
      ),
      ...[dense, sparse].flatMap((block, i) =>
        upProjections(weight(`${block}.self_attn.kv_b_proj.weight`), i),
      ),
      gguf("blk.1.exp_probs_b.bias", weight(correction)),
      ...expertParts.map((part) =>
        gguf(
          `blk.1.ffn_${part}_exps.weight`,
          stackedAs(expertIndices.map((expert) => weight(expertName(expert, part)))),
        ),
      ),
    ],
  },
};
