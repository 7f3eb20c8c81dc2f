// Configs of public models, as far as they decide sizes, and what is published of their parameters, in billions.

export interface PublishedModel {
  readonly name: string;
  readonly billions: number;
  /** Of which a token passes. */
  readonly active?: number;
  readonly config: Readonly<Record<string, unknown>>;
}

type Shape = readonly [hidden: number, ffn: number, layers: number, heads: number, kv?: number];

function sizes([hidden, ffn, layers, heads, kv = heads]: Shape, vocabulary: number) {
  return {
    hidden_size: hidden,
    intermediate_size: ffn,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kv,
    vocab_size: vocabulary,
  };
}

function model(
  name: string,
  billions: number,
  type: string,
  [shape, vocabulary]: readonly [Shape, number],
  more: Readonly<Record<string, unknown>> = {},
  active?: number,
): PublishedModel {
  return {
    name,
    billions,
    ...(active === undefined ? {} : { active }),
    config: { model_type: type, ...sizes(shape, vocabulary), ...more },
  };
}

function moe(experts: number, topK: number, ffn: number) {
  return {
    num_experts: experts,
    num_experts_per_tok: topK,
    moe_intermediate_size: ffn,
  };
}

function latent(queryRank: number) {
  return {
    q_lora_rank: queryRank,
    kv_lora_rank: 512,
    qk_nope_head_dim: 128,
    qk_rope_head_dim: 64,
    v_head_dim: 128,
  };
}

/** Of 40 layers all but those with attention. */
function mamba(heads: number, attention: readonly number[]) {
  return {
    mamba_n_heads: heads,
    mamba_d_head: 64,
    mamba_d_state: 128,
    mamba_d_conv: 4,
    mamba_n_groups: 1,
    mamba_expand: 2,
    layer_types: Array.from({ length: 40 }, (_, layer) =>
      attention.includes(layer) ? "attention" : "mamba",
    ),
  };
}

function gemma4(more: Readonly<Record<string, unknown>>) {
  return { head_dim: 256, global_head_dim: 512, final_logit_softcapping: 30, ...more };
}

const qwen7b = { ...sizes([3584, 18944, 28, 28, 4], 152_064), tie_word_embeddings: false };

export const publishedModels: readonly PublishedModel[] = [
  model("llama-2-7b", 6.738, "llama", [[4096, 11008, 32, 32], 32_000]),
  model("llama-2-70b", 68.98, "llama", [[8192, 28672, 80, 64, 8], 32_000]),
  model("llama-3.1-405b", 405.85, "llama", [[16384, 53248, 126, 128, 8], 128_256]),
  model("mistral-large", 122.6, "mistral", [[12288, 28672, 88, 96, 8], 32_768]),
  model("mixtral-8x22b", 140.6, "mixtral", [[6144, 16384, 56, 48, 8], 32_768], {
    num_local_experts: 8,
    num_experts_per_tok: 2,
  }),
  model("qwen2.5-0.5b", 0.494, "qwen2", [[896, 4864, 24, 14, 2], 151_936], {
    tie_word_embeddings: true,
  }),
  model("qwen2.5-72b", 72.7, "qwen2", [[8192, 29568, 80, 64, 8], 152_064]),
  model("qwen3-32b", 32.76, "qwen3", [[5120, 25600, 64, 64, 8], 151_936], { head_dim: 128 }),
  model(
    "qwen3-235b-a22b",
    235.1,
    "qwen3_moe",
    [[4096, 12288, 94, 64, 4], 151_936],
    { head_dim: 128, ...moe(128, 8, 1536) },
    22.2,
  ),
  model("qwen3-next-80b", 79.67, "qwen3_next", [[2048, 5120, 48, 16, 2], 151_936], {
    head_dim: 256,
    ...moe(512, 10, 512),
    shared_expert_intermediate_size: 512,
    full_attention_interval: 4,
    linear_num_key_heads: 16,
    linear_num_value_heads: 32,
    linear_key_head_dim: 128,
    linear_value_head_dim: 128,
    linear_conv_kernel_dim: 4,
    partial_rotary_factor: 0.25,
  }),
  model("gpt-oss-20b", 20.91, "gpt_oss", [[2880, 2880, 24, 64, 8], 201_088], {
    head_dim: 64,
    attention_bias: true,
    num_local_experts: 32,
    num_experts_per_tok: 4,
    sliding_window: 128,
  }),
  model("falcon-40b", 41.3, "falcon", [[8192, 32768, 60, 128], 65_024], {
    new_decoder_architecture: true,
    num_kv_heads: 8,
    num_key_value_heads: null,
    bias: false,
    parallel_attn: true,
  }),
  {
    name: "bloom",
    billions: 176.25,
    config: {
      model_type: "bloom",
      hidden_size: 14_336,
      n_layer: 70,
      n_head: 112,
      vocab_size: 250_880,
    },
  },
  {
    name: "opt-6.7b",
    billions: 6.658,
    config: {
      model_type: "opt",
      hidden_size: 4096,
      ffn_dim: 16_384,
      num_hidden_layers: 32,
      num_attention_heads: 32,
      vocab_size: 50_272,
      max_position_embeddings: 2048,
      word_embed_proj_dim: 4096,
      do_layer_norm_before: true,
    },
  },
  {
    name: "gpt-j-6b",
    billions: 6.05,
    config: {
      model_type: "gptj",
      n_embd: 4096,
      n_layer: 28,
      n_head: 16,
      n_inner: null,
      rotary_dim: 64,
      vocab_size: 50_400,
      tie_word_embeddings: false,
    },
  },
  {
    name: "mpt-30b",
    billions: 29.96,
    config: {
      model_type: "mpt",
      d_model: 7168,
      n_layers: 48,
      n_heads: 64,
      expansion_ratio: 4,
      max_seq_len: 8192,
      no_bias: true,
      vocab_size: 50_432,
      attn_config: { alibi: true, attn_type: "multihead_attention", attn_impl: "torch" },
    },
  },
  {
    name: "starcoder",
    billions: 15.52,
    config: {
      model_type: "gpt_bigcode",
      n_embd: 6144,
      n_layer: 40,
      n_head: 48,
      n_inner: 24_576,
      n_positions: 8192,
      multi_query: true,
      vocab_size: 49_152,
    },
  },
  {
    name: "gpt2-xl",
    billions: 1.558,
    config: {
      model_type: "gpt2",
      n_embd: 1600,
      n_layer: 48,
      n_head: 25,
      n_positions: 1024,
      vocab_size: 50_257,
    },
  },
  model("pythia-12b", 11.85, "gpt_neox", [[5120, 20480, 36, 40], 50_688], {
    rotary_pct: 0.25,
    num_key_value_heads: null,
  }),
  model("smollm3-3b", 3.075, "smollm3", [[2048, 11008, 36, 16, 4], 128_256]),
  model("granite-3.1-8b", 8.17, "granite", [[4096, 12800, 40, 32, 8], 49_155], {
    tie_word_embeddings: true,
    embedding_multiplier: 12,
  }),
  model("olmoe-1b-7b", 6.919, "olmoe", [[2048, 1024, 16, 16], 50_304], {
    num_experts: 64,
    num_experts_per_tok: 8,
  }),
  model("phi-3.5-moe", 41.87, "phimoe", [[4096, 6400, 32, 32, 8], 32_064], {
    attention_bias: true,
    lm_head_bias: true,
    num_local_experts: 16,
    num_experts_per_tok: 2,
  }),
  model(
    "deepseek-v2",
    235.7,
    "deepseek_v2",
    [[5120, 12288, 60, 128], 102_400],
    {
      ...latent(1536),
      n_routed_experts: 160,
      n_shared_experts: 2,
      num_experts_per_tok: 6,
      moe_intermediate_size: 1536,
      first_k_dense_replace: 1,
    },
    21.4,
  ),
  model(
    "kimi-k2",
    1026,
    "kimi_k2",
    [[7168, 18432, 61, 64], 163_840],
    {
      ...latent(1536),
      n_routed_experts: 384,
      n_shared_experts: 1,
      num_experts_per_tok: 8,
      moe_intermediate_size: 2048,
      first_k_dense_replace: 1,
      topk_method: "noaux_tc",
    },
    32.9,
  ),
  model("command-r-plus", 103.8, "cohere", [[12288, 33792, 64, 96, 8], 256_000], {
    use_qk_norm: true,
  }),
  model("command-r7b", 8.03, "cohere2", [[4096, 14336, 32, 32, 8], 256_000], {
    sliding_window: 4096,
    sliding_window_pattern: 4,
  }),
  model("glm-4-9b", 9.4, "glm4", [[4096, 13696, 40, 32, 2], 151_552], {
    head_dim: 128,
    attention_bias: true,
    partial_rotary_factor: 0.5,
  }),
  model("nemotron-4-340b", 341, "nemotron", [[18432, 73728, 96, 96, 8], 256_000], {
    hidden_act: "relu2",
    partial_rotary_factor: 0.5,
  }),
  model("stablelm-2-1.6b", 1.644, "stablelm", [[2048, 5632, 24, 32], 100_352], {
    use_qkv_bias: true,
    partial_rotary_factor: 0.25,
  }),
  model("internlm2-7b", 7.738, "internlm2", [[4096, 14336, 32, 32, 8], 92_544], { bias: false }),
  model("seed-oss-36b", 36.15, "seed_oss", [[5120, 27648, 64, 80, 8], 155_136], {
    head_dim: 128,
    attention_bias: true,
    attention_out_bias: false,
  }),
  model("gemma-2-27b", 27.23, "gemma2", [[4608, 36864, 46, 32, 16], 256_000], {
    head_dim: 128,
    sliding_window: 4096,
  }),
  model("gemma-3-1b", 1.0, "gemma3_text", [[1152, 6912, 26, 4, 1], 262_144], {
    head_dim: 256,
    sliding_window: 512,
  }),
  model(
    "gemma-4-31b",
    30.7,
    "gemma4_text",
    [[5376, 21504, 60, 32, 16], 262_144],
    gemma4({
      attention_k_eq_v: true,
      num_global_key_value_heads: 4,
      hidden_size_per_layer_input: 0,
      sliding_window: 1024,
    }),
  ),
  model(
    "gemma-4-26b-a4b",
    25.23,
    "gemma4_text",
    [[2816, 2112, 30, 16, 8], 262_144],
    gemma4({
      attention_k_eq_v: true,
      num_global_key_value_heads: 2,
      hidden_size_per_layer_input: 0,
      enable_moe_block: true,
      num_experts: 128,
      top_k_experts: 8,
      moe_intermediate_size: 704,
      sliding_window: 1024,
    }),
    3.82,
  ),
  model(
    "gemma-4-e4b without its towers",
    7.46,
    "gemma4_text",
    [[2560, 10240, 42, 8, 2], 262_144],
    gemma4({ num_kv_shared_layers: 18 }),
  ),
  model("kimi-linear-48b-a3b", 49.1, "kimi_linear", [[2304, 9216, 27, 32], 163_840], {
    ...latent(0),
    q_lora_rank: null,
    head_dim: 72,
    mla_use_nope: true,
    num_experts: 256,
    num_experts_per_token: 8,
    num_shared_experts: 1,
    moe_intermediate_size: 1024,
    first_k_dense_replace: 1,
    linear_attn_config: {
      full_attn_layers: [4, 8, 12, 16, 20, 24, 27],
      kda_layers: Array.from({ length: 26 }, (_, i) => i + 1).filter((each) => each % 4 !== 0),
      head_dim: 128,
      num_heads: 32,
      short_conv_kernel_size: 4,
    },
  }),
  model("jamba-v0.1", 51.57, "jamba", [[4096, 14336, 32, 32, 8], 65_536], {
    num_experts: 16,
    num_experts_per_tok: 2,
    mamba_dt_rank: 256,
    mamba_conv_bias: true,
  }),
  model("exaone-4.0-32b", 32, "exaone4", [[5120, 27392, 64, 40, 8], 102_400], {
    head_dim: 128,
    sliding_window: 4096,
    sliding_window_pattern: "LLLG",
    tie_word_embeddings: false,
  }),
  model("ernie-4.5-21b-a3b", 21.83, "ernie4_5_moe", [[2560, 12288, 28, 20, 4], 103_424], {
    moe_num_experts: 64,
    moe_k: 6,
    moe_num_shared_experts: 2,
    moe_intermediate_size: 1536,
    moe_layer_start_index: 1,
  }),
  model("dots.llm1", 142.8, "dots1", [[4096, 10944, 62, 32], 152_064], {
    head_dim: 128,
    n_routed_experts: 128,
    n_shared_experts: 2,
    num_experts_per_tok: 6,
    moe_intermediate_size: 1408,
    first_k_dense_replace: 1,
    topk_method: "noaux_tc",
    scoring_func: "sigmoid",
  }),
  model(
    "glm-4.7-flash without its prediction layer",
    29.94,
    "glm4_moe_lite",
    [[2048, 10240, 47, 20], 154_880],
    {
      ...latent(768),
      qk_nope_head_dim: 192,
      v_head_dim: 256,
      n_routed_experts: 64,
      n_shared_experts: 1,
      num_experts_per_tok: 4,
      moe_intermediate_size: 1536,
      first_k_dense_replace: 1,
    },
  ),
  model(
    "granite-3.0-1b-a400m",
    1.335,
    "granitemoe",
    [[1024, 512, 24, 16, 8], 49_155],
    { tie_word_embeddings: true, num_local_experts: 32, num_experts_per_tok: 8 },
    0.43,
  ),
  model("granite-4.0-h-micro", 3.19, "granitemoehybrid", [[2048, 8192, 40, 32, 8], 100_352], {
    tie_word_embeddings: true,
    shared_intermediate_size: 8192,
    position_embedding_type: "nope",
    ...mamba(64, [5, 15, 25, 35]),
  }),
  model("granite-4.0-h-tiny", 6.939, "granitemoehybrid", [[1536, 512, 40, 12, 4], 100_352], {
    tie_word_embeddings: true,
    shared_intermediate_size: 1024,
    num_local_experts: 64,
    num_experts_per_tok: 6,
    position_embedding_type: "nope",
    ...mamba(48, [5, 15, 25, 35]),
  }),
  {
    name: "chatglm3-6b",
    billions: 6.2436,
    config: {
      model_type: "chatglm",
      hidden_size: 4096,
      ffn_hidden_size: 13_696,
      num_layers: 28,
      num_attention_heads: 32,
      kv_channels: 128,
      multi_query_attention: true,
      multi_query_group_num: 2,
      padded_vocab_size: 65_024,
      add_qkv_bias: true,
      add_bias_linear: false,
      rmsnorm: true,
      layernorm_epsilon: 1e-5,
    },
  },
  model("bert-base-uncased", 0.10948, "bert", [[768, 3072, 12, 12], 30_522], {
    max_position_embeddings: 512,
    type_vocab_size: 2,
  }),
  model("roberta-large", 0.35536, "roberta", [[1024, 4096, 24, 16], 50_265], {
    max_position_embeddings: 514,
    type_vocab_size: 1,
  }),
  {
    name: "llava-1.5-7b: a part that leaves all but one size to its class",
    billions: 6.74,
    config: {
      model_type: "llava",
      text_config: { model_type: "llama", vocab_size: 32_064 },
      vision_config: { model_type: "clip_vision_model", hidden_size: 1024 },
    },
  },
  {
    name: "internvl: the language model under llm_config",
    billions: 7.616,
    config: {
      model_type: "internvl_chat",
      architectures: ["InternVLChatModel"],
      llm_config: { model_type: "qwen2", ...qwen7b },
      vision_config: { hidden_size: 1024 },
      downsample_ratio: 0.5,
    },
  },
  {
    name: "qwen2-vl-7b: sizes at the top, a tower beside them",
    billions: 7.616,
    config: { model_type: "qwen2_vl", ...qwen7b, vision_config: { depth: 32, embed_dim: 1280 } },
  },
];
