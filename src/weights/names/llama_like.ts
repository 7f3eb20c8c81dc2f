// Llama and all that name weights as it does: Mistral, Qwen, Gemma, Phi-3, OLMo, Mixtral, gpt-oss, DeepSeek and others. Where
// they differ, the first name that is there counts.

import { type WeightFamily, type FamilyModel, plain, type Recipes } from "./family.ts";
import { latentRecipes } from "./latent.ts";
import { type Recipe, type TensorSection, section } from "./recipe.ts";

export const llamaLike: WeightFamily = {
  table: "embed_tokens.weight",
  recipes: (model) => recipesOf(model),
};

const block = "layers.{i}.";

function recipesOf(model: FamilyModel): Recipes {
  return {
    "embedding/weight": plain("embed_tokens.weight"),
    "last norm/gain": plain("norm.weight", "final_layernorm.weight"),
    "last norm/bias": plain("norm.bias", "final_layernorm.bias"),
    "head/weight": plain("lm_head.weight", "embed_tokens.weight"),
    "head/bias": plain("lm_head.bias"),
    ...norms,
    ...attentionOf(model),
    ...mlpOf(model),
    ...expertsOf(model),
  };
}

function normOf(
  role: "norm before attention" | "norm after attention" | "norm before mlp" | "norm after mlp",
  ...names: string[]
): Recipes {
  return {
    [`${role}/gain`]: plain(...names.map((name) => `${block}${name}.weight`)),
    [`${role}/bias`]: plain(...names.map((name) => `${block}${name}.bias`)),
  };
}

/** Of names that mean one thing in Llama and another in Gemma, the rarer one goes first. */
const norms: Recipes = {
  ...normOf("norm before attention", "input_layernorm"),
  ...normOf("norm after attention", "post_self_attn_layernorm", "post_attention_layernorm"),
  ...normOf(
    "norm before mlp",
    "pre_feedforward_layernorm",
    "post_attention_layernorm",
    "input_layernorm",
  ),
  ...normOf("norm after mlp", "post_feedforward_layernorm", "post_mlp_layernorm"),
};

function attentionOf({ attention }: FamilyModel): Recipes {
  if (attention === undefined) return {};
  const { heads, kvHeads, headDim, latent, outputGate } = attention;
  const [queries, keys] = [heads * headDim, kvHeads * headDim];
  const of = queries + 2 * keys;
  const own = `${block}self_attn.`;
  /** Head by head its query, then what gates its result. */
  const beside = (first: number): Recipe => ({
    name: `${own}q_proj.weight`,
    section: {
      of: 2 * queries,
      first,
      along: { extents: [heads, headDim], strides: [2 * headDim, 1] },
    },
  });
  const projection = (part: "q" | "k" | "v", first: number, count: number): Recipes => {
    const stored = (suffix: string): Recipe[] => [
      { name: `${own}${part}_proj.${suffix}` },
      { name: `${own}qkv_proj.${suffix}`, section: section(first, count, of) },
    ];
    return {
      [`attention/${part}/weight`]: stored("weight"),
      [`attention/${part}/bias`]: stored("bias"),
    };
  };
  return {
    ...projection("q", 0, queries),
    ...projection("k", queries, keys),
    ...projection("v", queries + keys, keys),
    ...(outputGate === undefined
      ? {}
      : { "attention/q/weight": [beside(0)], "attention/gate/weight": [beside(headDim)] }),
    "attention/q/norm/gain": plain(`${own}q_norm.weight`, `${own}q_layernorm.weight`),
    "attention/k/norm/gain": plain(`${own}k_norm.weight`, `${own}k_layernorm.weight`),
    ...(latent === undefined ? {} : latentRecipes(own)),
    "attention/sinks": plain(`${own}sinks`),
    "attention/output/weight": plain(`${own}o_proj.weight`, `${own}dense.weight`),
    "attention/output/bias": plain(`${own}o_proj.bias`, `${own}dense.bias`),
  };
}

function mlpOf({ ffn }: FamilyModel): Recipes {
  const own = `${block}mlp.`;
  return {
    "mlp/gate/weight": [
      { name: `${own}gate_proj.weight` },
      { name: `${own}gate_up_proj.weight`, section: section(0, ffn, 2 * ffn) },
    ],
    "mlp/up/weight": [
      { name: `${own}up_proj.weight` },
      { name: `${own}gate_up_proj.weight`, section: section(ffn, ffn, 2 * ffn) },
      ...plain(`${own}fc1.weight`, `${own}c_fc.weight`),
    ],
    "mlp/down/weight": plain(`${own}down_proj.weight`, `${own}fc2.weight`, `${own}c_proj.weight`),
    "mlp/gate/bias": plain(`${own}gate_proj.bias`),
    "mlp/up/bias": plain(`${own}up_proj.bias`, `${own}fc1.bias`, `${own}c_fc.bias`),
    "mlp/down/bias": plain(`${own}down_proj.bias`, `${own}fc2.bias`, `${own}c_proj.bias`),
  };
}

function sharedExpertOf(part: "gate" | "up" | "down"): Recipe[] {
  return plain(
    `${block}mlp.shared_experts.${part}_proj.weight`,
    `${block}mlp.shared_expert.${part}_proj.weight`,
    `${block}feed_forward.shared_expert.${part}_proj.weight`,
  );
}

/** Of DeepSeek and GLM, of Qwen, and of Llama 4. */
const sharedExperts: Recipes = {
  "moe/shared/gate/weight": sharedExpertOf("gate"),
  "moe/shared/up/weight": sharedExpertOf("up"),
  "moe/shared/down/weight": sharedExpertOf("down"),
  "moe/shared/scale/weight": plain(`${block}mlp.shared_expert_gate.weight`),
};

function expertsOf({ moe }: FamilyModel): Recipes {
  const { hidden = 0, ffn = 0, activation } = moe ?? {};
  const mlp = `${block}mlp.`;
  const sparse = `${block}block_sparse_moe.`;
  const fed = `${block}feed_forward.`;
  const isGptOss = activation === "clamped-silu";
  const half = (index: 0 | 1): TensorSection => section(index * ffn, ffn, 2 * ffn);
  const turnByTurn = (first: 0 | 1): TensorSection => ({
    of: 2 * ffn,
    first,
    along: { extents: [ffn], strides: [2] },
  });
  // Others store these names [in, out] or [out, in]; a square shape does not tell which.
  const isTold = isGptOss || (hidden !== 2 * ffn && hidden !== ffn);
  /** Llama 4 and Qwen3-VL have gates before ups, gpt-oss turn by turn; all in the experts' last axis. */
  const packed = (index: 0 | 1): Recipe[] => [
    { name: `${fed}experts.gate_up_proj`, isInFirst: true, section: half(index) },
    ...(isTold
      ? [
          {
            name: `${mlp}experts.gate_up_proj`,
            isInFirst: true,
            section: isGptOss ? turnByTurn(index) : half(index),
          },
        ]
      : []),
  ];
  /** gpt-oss as it is published: four bits an element. */
  const inBlocks = (name: string, of?: TensorSection): Recipe => ({
    name: `${mlp}experts.${name}_blocks`,
    scales: `${mlp}experts.${name}_scales`,
    ...(of === undefined ? {} : { section: of }),
  });
  const packedBias = (index: 0 | 1): Recipe => ({
    name: `${mlp}experts.gate_up_proj_bias`,
    section: turnByTurn(index),
  });
  return {
    "moe/router/weight": plain(
      `${mlp}gate.weight`,
      `${sparse}gate.weight`,
      `${mlp}router.weight`,
      `${fed}router.weight`,
    ),
    "moe/router/bias": plain(`${mlp}router.bias`),
    "moe/router/correction/bias": plain(
      `${mlp}gate.e_score_correction_bias`,
      `${sparse}e_score_correction_bias`,
    ),
    ...sharedExperts,
    "moe/experts/gate/bias": [packedBias(0)],
    "moe/experts/up/bias": [packedBias(1)],
    "moe/experts/down/bias": plain(`${mlp}experts.down_proj_bias`),
    "moe/experts/gate/weight": [
      ...plain(`${mlp}experts.{e}.gate_proj.weight`, `${sparse}experts.{e}.w1.weight`),
      ...packed(0),
      inBlocks("gate_up_proj", turnByTurn(0)),
    ],
    "moe/experts/up/weight": [
      ...plain(`${mlp}experts.{e}.up_proj.weight`, `${sparse}experts.{e}.w3.weight`),
      ...packed(1),
      inBlocks("gate_up_proj", turnByTurn(1)),
    ],
    "moe/experts/down/weight": [
      ...plain(`${mlp}experts.{e}.down_proj.weight`, `${sparse}experts.{e}.w2.weight`),
      ...(isTold ? [{ name: `${mlp}experts.down_proj`, isInFirst: true }] : []),
      { name: `${fed}experts.down_proj`, isInFirst: true },
      inBlocks("down_proj"),
    ],
  };
}
