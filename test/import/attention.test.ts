// What configs say of attention becomes fields of the model.

import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { featuresBeyondLayers } from "../../src/plan/features_beyond_layers.ts";
import { configOf, planOf } from "./imported.ts";

async function modelOf(name: string) {
  const text = await readFile(`test/import/models/${name}.json`, "utf8");
  return planOf([{ name: "config.json", text }]).plan.model;
}

function written(config: Readonly<Record<string, unknown>>) {
  const sizes = {
    hidden_size: 64,
    intermediate_size: 128,
    num_hidden_layers: 8,
    num_attention_heads: 4,
    vocab_size: 256,
    max_position_embeddings: 4096,
  };
  const text = JSON.stringify({ ...sizes, ...config }, null, 2);
  return planOf([{ name: "config.json", text }]).plan.model;
}

test("Llama 3.2: the base, and a scaling with its four numbers", async () => {
  expect(planOf([await configOf("llama-3.2-1b")]).plan.model?.positions).toEqual({
    kind: "rotary",
    base: 500_000,
    scaling: {
      kind: "llama3",
      factor: 32,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
      originalPositions: 8192,
    },
  });
});

test("newer configs say the same within rope_parameters", async () => {
  const older = await modelOf("llama3-8b");
  expect((await modelOf("llama3-8b-v5"))?.positions).toEqual(older?.positions);
});

test("gpt-oss: YaRN whose bounds are not rounded, a window in every other layer, sinks", async () => {
  const model = await modelOf("gpt-oss-120b");
  expect(model?.positions?.scaling).toEqual({
    kind: "yarn",
    factor: 32,
    originalPositions: 4096,
    betaFast: 32,
    betaSlow: 1,
    truncate: false,
  });
  expect(model).toMatchObject({ sinks: true, slidingWindow: { tokens: 128 } });
});

test("DeepSeek V3: neighbors are pairs, and YaRN makes scores larger instead of cosines", async () => {
  const model = planOf([await configOf("deepseek-v3")]).plan.model;
  expect(model?.positions).toMatchObject({
    interleaved: true,
    scaling: { kind: "yarn", factor: 40, originalPositions: 4096, attentionFactor: 1 },
  });
  // (0.1 · ln 40 + 1)² / √192
  expect(model?.attentionScale).toBeCloseTo(1.368_888 ** 2 / Math.sqrt(192), 6);
});

test("a part of each head is turned: 24 of 96, 32 of 80", async () => {
  expect(planOf([await configOf("gpt-neox-20b")]).plan.model?.positions?.dims).toBe(24);
  expect(planOf([await configOf("phi-2")]).plan.model?.positions?.dims).toBe(32);
});

test("Gemma 2: capped scores of a width of their own", () => {
  const model = written({
    model_type: "gemma2",
    head_dim: 16,
    query_pre_attn_scalar: 64,
    attn_logit_softcapping: 50,
    sliding_window: 128,
  });
  expect(model).toMatchObject({
    attentionScale: 1 / 8,
    attentionSoftcap: 50,
    slidingWindow: { tokens: 128, layers: [0, 2, 4, 6] },
  });
});

test("Llama 4: chunks where there are positions, and norms without weights", () => {
  const model = written({
    model_type: "llama4_text",
    num_local_experts: 4,
    num_experts_per_tok: 1,
    intermediate_size_mlp: 256,
    attention_chunk_size: 512,
    attn_temperature_tuning: false,
  });
  expect(model).toMatchObject({
    qkNorm: "l2",
    chunkedAttention: { tokens: 512, layers: [0, 1, 2, 4, 5, 6] },
    positions: { base: 500_000, interleaved: true, layersWithout: [3, 7] },
  });
});

test.each([
  [{}, { scale: 0.1, interval: 8192, offset: 1, layers: "without-positions" }],
  [
    { attn_temperature_tuning: 4, attn_scale: 0.2, floor_scale: 64 },
    { scale: 0.2, interval: 64, offset: 1, layers: "without-positions" },
  ],
  [{ attn_temperature_tuning: false }, undefined],
  [{ attn_temperature_tuning: 0 }, undefined],
])("Llama 4 with %o: queries grow with positions", (config, expected) => {
  const model = written({
    model_type: "llama4_text",
    num_local_experts: 4,
    num_experts_per_tok: 1,
    intermediate_size_mlp: 256,
    ...config,
  });
  expect(model?.attentionTemperature).toEqual(expected);
});

test("Qwen3-Next: the delta rule in three of four layers, and a gate of what attention gives", () => {
  const model = written({
    model_type: "qwen3_next",
    num_experts: 4,
    num_experts_per_tok: 2,
    moe_intermediate_size: 32,
    shared_expert_intermediate_size: 32,
    linear_num_key_heads: 2,
    linear_num_value_heads: 4,
    linear_key_head_dim: 16,
    linear_value_head_dim: 8,
  });
  expect(model).toMatchObject({
    attentionOutputGate: true,
    unitOffsetNorms: true,
    qkNorm: true,
    moe: { renormalise: true, sharedGate: true },
    gatedDelta: {
      layers: [0, 1, 2, 4, 5, 6],
      keyHeads: 2,
      valueHeads: 4,
      keyDim: 16,
      valueDim: 8,
      kernel: 4,
    },
  });
  expect(model?.otherFeatures).toBeUndefined();
});

test("Qwen3.5: where the config is silent, a quarter of a head is turned; gates of another kind are said in words", () => {
  const of = (more: object) =>
    written({
      model_type: "qwen3_5_text",
      head_dim: 16,
      linear_num_key_heads: 2,
      linear_num_value_heads: 4,
      linear_key_head_dim: 16,
      linear_value_head_dim: 8,
      ...more,
    });
  expect(of({ output_gate_type: "swish" })).toMatchObject({ positions: { dims: 4 } });
  expect(of({ output_gate_type: "swish" })?.otherFeatures).toBeUndefined();
  expect(of({ output_gate_type: "tanh" })?.otherFeatures).toEqual(["activation-tanh-of-gates"]);
});

test("MPT: clipped numbers, other slopes and norms of heads are said in words", () => {
  const of = (attention: object) =>
    written({
      model_type: "mpt",
      attn_config: { alibi: true, alibi_bias_max: 8, clip_qkv: null, qk_ln: false, ...attention },
    })?.otherFeatures;
  expect(of({})).toBeUndefined();
  expect(of({ alibi_bias_max: 16, clip_qkv: 6, qk_ln: true })).toEqual([
    "scaled-slopes",
    "clipped-queries-keys-values",
    "layer-norm-of-queries-and-keys",
  ]);
});

test("GPT-2: scores that are scaled otherwise", () => {
  const of = (more: object) => written({ model_type: "gpt2", ...more });
  expect(
    of({ scale_attn_weights: true, scale_attn_by_inverse_layer_idx: false }),
  ).not.toHaveProperty("attentionScale");
  expect(of({ scale_attn_weights: false })).toMatchObject({ attentionScale: 1 });
  expect(of({ scale_attn_by_inverse_layer_idx: true })?.otherFeatures).toEqual([
    "scores-scaled-by-layer",
  ]);
});

const latentSizes = {
  kv_lora_rank: 16,
  qk_nope_head_dim: 8,
  qk_rope_head_dim: 8,
  v_head_dim: 8,
  n_routed_experts: 4,
  num_experts_per_tok: 2,
  moe_intermediate_size: 32,
};

test.each([
  ["deepseek_v2", { renormalise: false }],
  ["deepseek_v3", { renormalise: true, routingBias: true, scoring: "sigmoid" }],
])("%s: its class routes where the config is silent", (type, moe) => {
  expect(written({ model_type: type, ...latentSizes })?.moe).toEqual({
    experts: 4,
    topK: 2,
    ffn: 32,
    dense: false,
    ...moe,
  });
});

test("DeepSeek: dense layers as the list names them, and biases of what goes down to the ranks", () => {
  const kinds = ["dense", "sparse", "dense", "sparse", "sparse", "sparse", "sparse", "sparse"];
  const model = written({
    model_type: "deepseek_v3",
    ...latentSizes,
    mlp_layer_types: kinds,
    attention_bias: true,
  });
  expect(model).toMatchObject({
    moe: { denseLayers: [0, 2] },
    otherFeatures: ["latent-biases"],
    otherParameters: { "latent-biases": 8 * 24 },
  });
});

test("ChatGLM: neighbors are pairs on half a head, keys and values are shared", () => {
  const text = JSON.stringify({
    model_type: "chatglm",
    hidden_size: 64,
    ffn_hidden_size: 96,
    num_layers: 2,
    num_attention_heads: 4,
    kv_channels: 16,
    multi_query_attention: true,
    multi_query_group_num: 2,
    padded_vocab_size: 128,
    add_qkv_bias: true,
    rope_ratio: 50,
  });
  expect(planOf([{ name: "config.json", text }]).plan.model).toMatchObject({
    kvHeads: 2,
    biases: ["qkv"],
    activation: "silu",
    positions: { base: 500_000, dims: 8, interleaved: true },
  });
});

test("Granite 4: Mamba-2 is named layer by layer", () => {
  const { plan } = planOf([
    {
      name: "config.json",
      text: JSON.stringify({
        model_type: "granitemoehybrid",
        hidden_size: 64,
        intermediate_size: 32,
        shared_intermediate_size: 96,
        num_hidden_layers: 5,
        num_attention_heads: 4,
        vocab_size: 128,
        position_embedding_type: "nope",
        mamba_n_heads: 8,
        mamba_d_state: 16,
        layer_types: ["mamba", "mamba", "attention", "mamba", "attention"],
      }),
    },
  ]);
  if (plan.model === undefined) throw new Error("a model");
  expect(plan.model.positions).toBeUndefined();
  // Its class has no 1 / √ of a head's width where no factor is given.
  expect(plan.model.attentionScale).toBe(1);
  expect(featuresBeyondLayers(plan.model, 1024).map(({ what }) => what)).toEqual([
    "Mamba-2 in 3 layers: 0–1, 3",
  ]);
});

test.each([
  [2048, []],
  [2049, ["an indexer that chooses 2048 of 2049 tokens to attend to"]],
])("GLM-5 at %d tokens: an indexer that may choose all is left out", async (sequence, expected) => {
  const model = await modelOf("glm-5");
  if (model === undefined) throw new Error("a model");
  expect(featuresBeyondLayers(model, sequence).map(({ what }) => what)).toEqual(expected);
});

test("Cohere 2: layers without a window have no positions", () => {
  const model = written({ model_type: "cohere2", sliding_window: 64, use_qk_norm: true });
  expect(model).toMatchObject({
    qkNorm: "each-head",
    slidingWindow: { tokens: 64, layers: [0, 1, 2, 4, 5, 6] },
    positions: { interleaved: true, layersWithout: [3, 7] },
  });
});

test("SmolLM 3: layers without positions as the list marks them", () => {
  const model = written({ model_type: "smollm3", no_rope_layers: [1, 1, 0, 1, 1, 1, 1, 1] });
  expect(model?.positions?.layersWithout).toEqual([2]);
});

test("Qwen 2: a window from a layer on, only where it is switched on", () => {
  const window = { model_type: "qwen2", sliding_window: 32, max_window_layers: 6 };
  expect(written(window)?.slidingWindow).toBeUndefined();
  expect(written({ ...window, use_sliding_window: true })?.slidingWindow).toEqual({
    tokens: 32,
    layers: [6, 7],
  });
});

describe("scalings", () => {
  test("LongRoPE follows from the original positions beside it", () => {
    const factors = Array.from({ length: 8 }, (_, pair) => 1 + pair);
    const model = written({
      model_type: "phi3",
      max_position_embeddings: 32_768,
      original_max_position_embeddings: 4096,
      rope_scaling: { type: "su", short_factor: factors, long_factor: factors },
    });
    // √(1 + ln 8 / ln 4096)
    expect(model?.positions?.scaling).toEqual({
      kind: "longrope",
      shortFactors: factors,
      longFactors: factors,
      originalPositions: 4096,
      attentionFactor: Math.sqrt(1.25),
    });
  });

  const ofSix = (factor: number): number[] => Array.from({ length: 6 }, () => factor);
  const rising = [1, 2, 3, 4, 5, 6];
  const unread = { otherFeatures: ["rotary-scaling-longrope"] };
  test.each([
    [[1], [2], { positions: { scaling: { shortFactors: ofSix(1), longFactors: ofSix(2) } } }],
    [[1], rising, { positions: { scaling: { shortFactors: ofSix(1), longFactors: rising } } }],
    [[1, 1], [2, 2], unread],
    [rising, [1, 2, 3], unread],
  ])(
    "LongRoPE by %j and %j: one factor stands for those of all 6 pairs",
    (short, long, expected) => {
      const model = written({
        model_type: "phi3",
        partial_rotary_factor: 0.75,
        rope_scaling: { type: "longrope", short_factor: short, long_factor: long },
      });
      expect(model).toMatchObject(expected);
    },
  );

  test("LongRoPE with a factor of its own for short texts is said in words", () => {
    const factors = Array.from({ length: 8 }, () => 1);
    const scaled = (short_mscale: number) =>
      written({
        model_type: "phi3",
        rope_scaling: {
          type: "longrope",
          short_factor: factors,
          long_factor: factors,
          short_mscale,
          long_mscale: 1.25,
        },
      });
    expect(scaled(1.25)?.positions?.scaling).toMatchObject({ attentionFactor: 1.25 });
    expect(scaled(1.2)?.otherFeatures).toEqual(["rotary-scaling-longrope"]);
  });

  test("YaRN whose queries grow with their positions", () => {
    const yarn = {
      rope_type: "yarn",
      factor: 16,
      original_max_position_embeddings: 256,
      truncate: false,
    };
    const model = written({ model_type: "ministral3", rope_parameters: yarn });
    expect(model?.positions?.scaling).toMatchObject({ kind: "yarn", factor: 16, truncate: false });
    expect(model?.otherFeatures).toBeUndefined();
    expect(model?.attentionTemperature).toBeUndefined();
    const tempered = { ...yarn, llama_4_scaling_beta: 0.1 };
    expect(written({ model_type: "ministral3", rope_parameters: tempered })).toMatchObject({
      attentionTemperature: { scale: 0.1, interval: 256 },
    });
  });

  test("dynamic ones grow from the positions that the config names", () => {
    const model = written({
      model_type: "llama",
      rope_scaling: { type: "dynamic", factor: 2 },
    });
    expect(model?.positions?.scaling).toEqual({
      kind: "dynamic",
      factor: 2,
      originalPositions: 4096,
    });
  });

  test("one that nobody knows is said in words", () => {
    const model = written({ model_type: "llama", rope_scaling: { type: "spiral", factor: 2 } });
    expect(model?.positions).toEqual({ kind: "rotary" });
    expect(model?.otherFeatures).toEqual(["rotary-scaling-spiral"]);
  });

  test("sets by type of layer: the base of layers with a window is their own", () => {
    const model = written({
      model_type: "gemma3_text",
      head_dim: 16,
      sliding_window: 64,
      rope_parameters: {
        full_attention: { rope_type: "linear", factor: 8, rope_theta: 1_000_000 },
        sliding_attention: { rope_type: "default", rope_theta: 10_000 },
      },
    });
    expect(model?.positions).toEqual({
      kind: "rotary",
      base: 1_000_000,
      localBase: 10_000,
      scaling: { kind: "linear", factor: 8 },
    });
  });
});

test("params.json: Meta's scaling is a switch", () => {
  const text = JSON.stringify({
    dim: 64,
    n_layers: 2,
    n_heads: 4,
    vocab_size: 256,
    rope_theta: 500_000,
    use_scaled_rope: true,
  });
  expect(planOf([{ name: "params.json", text }]).plan.model?.positions).toMatchObject({
    base: 500_000,
    interleaved: true,
    scaling: { kind: "llama3", factor: 8 },
  });
});

test("params.json: epsilons and biases are read", () => {
  const sizes = { dim: 64, n_layers: 2, n_heads: 4, vocab_size: 256 };
  const of = (more: object) =>
    planOf([{ name: "params.json", text: JSON.stringify({ ...sizes, ...more }) }]);
  expect(of({ norm_eps: 1e-6, use_biases: false }).plan.model).toMatchObject({ normEpsilon: 1e-6 });
  const { diagnostics } = of({ use_biases: true });
  expect(diagnostics.map(({ code }) => code)).toContain("model-not-understood");
});

const megatron =
  "torchrun pretrain_gpt.py --num-layers 4 --hidden-size 64 --num-attention-heads 4 --vocab-size 256 " +
  "--seq-length 128 --micro-batch-size 1 --global-batch-size 1 --position-embedding-type";

test("Megatron-LM: epsilons, and scalings whose factors the list leaves open", () => {
  const of = (text: string) => planOf([{ name: "<command>", text: `${megatron} ${text}` }]).plan;
  expect(of("rope --norm-epsilon 1e-6").model?.normEpsilon).toBe(1e-6);
  expect(of("rope").model?.otherFeatures).toBeUndefined();
  expect(of("yarn").model?.otherFeatures).toEqual(["rotary-scaling-yarn"]);
  const latent = "rope --multi-latent-attention --kv-lora-rank 32 --qk-head-dim 16 --v-head-dim 16";
  expect(of(latent).model?.otherFeatures).toEqual(["rotary-scaling-yarn"]);
  expect(of(`${latent} --rope-type rope`).model?.otherFeatures).toBeUndefined();
});

test("Megatron-LM: weights of several choices sum to 1, unless a softmax of all comes first", () => {
  const of = (text: string) =>
    planOf([{ name: "<command>", text: `${megatron} rope --num-experts 8 ${text}` }]).plan.model
      ?.moe?.renormalise;
  expect(of("--moe-router-topk 2")).toBe(true);
  expect(of("--moe-router-topk 2 --moe-router-pre-softmax")).toBe(false);
  const sigmoid = "--moe-router-pre-softmax --moe-router-score-function sigmoid";
  expect(of(`--moe-router-topk 2 ${sigmoid}`)).toBe(true);
  expect(of(`--moe-router-topk 1 ${sigmoid}`)).toBe(false);
});

test("Megatron-LM: base, share, scaling and layers without positions", () => {
  const text =
    "torchrun pretrain_gpt.py --num-layers 4 --hidden-size 64 --num-attention-heads 4 --vocab-size 256 " +
    "--seq-length 128 --micro-batch-size 1 --global-batch-size 1 --position-embedding-type rope " +
    "--rotary-base 500000 --rotary-percent 0.5 --rotary-interleaved --use-rope-scaling --no-rope-freq 2 " +
    "--disable-bias-linear --add-qkv-bias --qk-l2-norm";
  const { plan } = planOf([{ name: "<command>", text }]);
  expect(plan.model).toMatchObject({
    qkNorm: "l2",
    biases: ["qkv"],
    positions: {
      kind: "rotary",
      base: 500_000,
      dims: 8,
      interleaved: true,
      scaling: { kind: "llama3", factor: 8, originalPositions: 8192 },
      layersWithout: [1, 3],
    },
  });
});
