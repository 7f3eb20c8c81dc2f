// What a config's class takes where the file does not have the key, beside the sizes that every file has. A file
// that was written by the class has them all, unless it is older than the key; files made by hand leave them out.
//
// Source: the configuration classes of the transformers library, version 5.18.

export const classDefaults: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  mistral: { num_key_value_heads: 8, sliding_window: 4096 },
  ministral: { num_key_value_heads: 8, sliding_window: 4096 },
  ministral3: { num_key_value_heads: 8, head_dim: 128 },
  mixtral: { num_key_value_heads: 8, num_local_experts: 8, num_experts_per_tok: 2 },
  qwen2_moe: { num_key_value_heads: 16 },
  qwen3: { head_dim: 128 },
  qwen3_vl_text: { head_dim: 128 },
  qwen3_moe: { num_key_value_heads: 4 },
  qwen3_next: { num_key_value_heads: 2, head_dim: 256 },
  qwen3_5_text: { num_key_value_heads: 4, head_dim: 256 },
  qwen3_5_moe_text: { num_key_value_heads: 2, head_dim: 256 },
  glm4: { num_key_value_heads: 2, head_dim: 128 },
  glm4_moe: { num_key_value_heads: 8, n_shared_experts: 1, first_k_dense_replace: 1 },
  gpt_oss: { num_key_value_heads: 8, head_dim: 64, sliding_window: 128 },
  starcoder2: { num_key_value_heads: 2 },
  phimoe: { num_key_value_heads: 8, num_local_experts: 16, num_experts_per_tok: 2 },
  gemma: { num_key_value_heads: 16, head_dim: 256 },
  gemma2: { num_key_value_heads: 4, head_dim: 256, sliding_window: 4096 },
  cohere2: { sliding_window: 4096 },
  ernie4_5: { num_key_value_heads: 2, head_dim: 128, tie_word_embeddings: true },
  ernie4_5_moe: { num_key_value_heads: 4, tie_word_embeddings: true, rope_theta: 500_000 },
  jamba: { num_key_value_heads: 8 },
  seed_oss: { num_key_value_heads: 8, head_dim: 128 },
  smollm3: { num_key_value_heads: 4 },
  olmo3: { sliding_window: 4096 },
  llama4_text: { num_key_value_heads: 8, head_dim: 128 },
  minimax_m2: { num_key_value_heads: 8, head_dim: 128 },
};
