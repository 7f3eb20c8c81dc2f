// The GPT line: GPT-2 with learned positions, GPT-NeoX with attention and MLP side by side, Phi, and others of
// their kind. Layer norms, plain MLPs, biases.

import type { ModelFile } from "../schema_model.ts";
import { importedActivation } from "./activation.ts";
import { decoder, type DecoderDefaults, type Family, withFeatures } from "./hf_decoder.ts";
import { llama, scaleBeside1 } from "./hf_llama.ts";
import { modelNotUnderstood, otherModel } from "./note.ts";
import type { ImportedFields } from "./fields.ts";
import { allBut, type LayerTest, withoutPositionsIn, withWindow } from "./hf_windows.ts";

const plainDefaults = { tied: false, gated: false, norm: "layer", activation: "gelu" } as const;
const tiedDefaults: DecoderDefaults = { ...plainDefaults, tied: true, ffnPerHidden: 4 };
const allBiases = ["qkv", "attention-output", "mlp"] as const;

/** Names its sizes differently, and has all biases but the head's. */
export const gpt2: Family = (fields) => {
  const model = decoder(fields, { ...tiedDefaults, activation: "gelu_new" });
  const isUnscaled = fields.flag("scale_attn_weights") === false;
  const isByLayer = fields.flag("scale_attn_by_inverse_layer_idx") === true;
  if (model === undefined) return undefined;
  return withFeatures(
    {
      ...model,
      biases: [...allBiases],
      positions: learned(fields, "n_positions"),
      ...(isUnscaled ? { attentionScale: 1 } : {}),
    },
    ...(isByLayer ? ["scores-scaled-by-layer"] : []),
  );
};

/** The count of positions; an older key says it too. */
function learned(fields: ImportedFields, key: string): NonNullable<ModelFile["positions"]> {
  const older = fields.count("n_ctx");
  return { kind: "learned", count: fields.count(key) ?? older ?? 1024 };
}

/** StarCoder: GPT-2 whose query heads share one key and value head. */
export const gptBigCode: Family = (fields) => {
  const model = gpt2(fields);
  const shared = fields.flag("multi_query") ?? true;
  for (const key of ["runner_max_sequence_length", "inference_runner", "attention_softmax_in_fp32"])
    fields.value(key);
  return model && { ...model, kvHeads: shared ? 1 : model.heads };
};

export const gptNeox: Family = (fields) => {
  const model = decoder(fields, { ...plainDefaults, rotary: { share: 0.25 } });
  if (model === undefined) return undefined;
  const parallel = fields.flag("use_parallel_residual") ?? true;
  const biased = fields.flag("attention_bias") ?? true;
  return {
    ...model,
    biases: biased ? [...allBiases] : ["mlp"],
    ...(parallel ? { parallelResidual: "own-norms" } : {}),
  };
};

/** One norm for attention and MLP, no biases in attention, and one in the head. */
export const gptj: Family = (fields) => {
  const model = decoder(fields, {
    ...tiedDefaults,
    tied: false,
    activation: "gelu_new",
    rotary: { interleaved: true },
  });
  return (
    model && {
      ...model,
      biases: ["mlp", "head"],
      parallelResidual: "shared-norm",
    }
  );
};

/** Positions as a slope per head, and a norm of the embeddings. */
export const bloom: Family = (fields) => {
  const model = decoder(fields, { ...tiedDefaults, activation: "gelu_new" });
  fields.value("slow_but_exact");
  return (
    model && {
      ...model,
      biases: [...allBiases],
      positions: { kind: "alibi" },
      embeddingNorm: true,
    }
  );
};

/** Learned positions with an offset of 2. */
export const opt: Family = (fields) => {
  const model = decoder(fields, { ...tiedDefaults, activation: "relu" });
  const count = fields.needed("max_position_embeddings");
  const biased = fields.flag("enable_bias") ?? true;
  const projected = fields.count("word_embed_proj_dim");
  const isAfterSum = fields.flag("do_layer_norm_before") === false;
  for (const key of ["layerdrop", "layer_norm_elementwise_affine"]) fields.value(key);
  if (model === undefined || count === undefined) return undefined;
  if (projected !== undefined && projected !== model.hidden) {
    const message = otherModel(`word_embed_proj_dim ${projected}`);
    fields.report("warning", modelNotUnderstood, message, ["word_embed_proj_dim"]);
  }
  const activation = importedActivation(fields.text("activation_function") ?? "relu", false);
  return withFeatures(
    {
      ...model,
      ...activation,
      ...(biased ? { biases: [...allBiases] } : {}),
      positions: { kind: "learned", count: count + 2, offset: 2 },
    },
    ...(isAfterSum ? ["norms-of-sums"] : []),
  );
};

/** Attention and MLP side by side, one norm for both in the small ones, two in the large. */
export const falcon: Family = (fields) => {
  const model = decoder(fields, tiedDefaults);
  if (model === undefined) return undefined;
  const isNew = fields.flag("new_decoder_architecture") ?? false;
  const shared = fields.flag("multi_query") ?? true;
  const parallel = fields.flag("parallel_attn") ?? true;
  const biased = fields.flag("bias") ?? false;
  const alibi = fields.flag("alibi") ?? false;
  const norms = fields.count("num_ln_in_parallel_attn") ?? (isNew ? 2 : 1);
  fields.value("apply_residual_connection_post_layernorm");
  const kvHeads = isNew ? model.kvHeads : shared ? 1 : model.heads;
  const whole: ModelFile = {
    ...model,
    ...(kvHeads === undefined ? {} : { kvHeads }),
    ...(biased ? { biases: [...allBiases] } : {}),
    ...(parallel ? { parallelResidual: norms === 2 ? "own-norms" : "shared-norm" } : {}),
  };
  // Its slopes are scaled as scores are.
  return alibi ? withFeatures({ ...whole, positions: { kind: "alibi" } }, "scaled-slopes") : whole;
};

/** Attention and MLP side by side on one norm, which has no bias; the head is the embedding, scaled. */
export const cohere: Family = (fields) => {
  const model = decoder(fields, {
    tied: true,
    gated: true,
    norm: "layer",
    activation: "silu",
    rotary: { interleaved: true },
  });
  if (model === undefined) return undefined;
  const logitScale = fields.number("logit_scale") ?? 0.0625;
  const normed = fields.flag("use_qk_norm") ?? false;
  const biased = fields.flag("attention_bias") ?? false;
  const pattern = fields.count("sliding_window_pattern") ?? 4;
  for (const key of [
    "use_parallel_block",
    "use_parallel_embedding",
    "use_gated_activation",
    "position_embedding_type",
    "order_of_interleaved_layers",
    "rotary_pct",
    "use_embedding_sharing",
  ])
    fields.value(key);
  const whole: ModelFile = {
    ...model,
    ...(biased ? { biases: ["qkv", "attention-output"] } : {}),
    ...(normed ? { qkNorm: "each-head" } : {}),
    parallelResidual: "shared-norm",
    normBias: false,
    ...scaleBeside1("logitScale", logitScale),
  };
  const windowed = withWindow(fields, whole, allBut(pattern));
  return withoutPositionsIn(windowed, seesAll(windowed));
};

/** Where some layers have a window, those without have no positions either. */
function seesAll({ slidingWindow }: ModelFile): LayerTest {
  return (layer) => Array.isArray(slidingWindow?.layers) && !slidingWindow.layers.includes(layer);
}

/** Layer norms, a plain MLP, grouped queries, and biases in all of it. */
export const starcoder2: Family = (fields) => {
  const model = decoder(fields, { ...plainDefaults, tied: true, activation: "gelu_pytorch_tanh" });
  if (model === undefined) return undefined;
  const biased = fields.flag("use_bias") ?? true;
  for (const key of ["norm_type", "mlp_type"]) fields.value(key);
  const whole = { ...model, ...(biased ? { biases: [...allBiases] } : {}) };
  return withWindow(fields, whole, () => true);
};

/** Layer norms, a gated MLP, rotary positions on a part of each head. */
export const stablelm: Family = (fields) => {
  const model = decoder(fields, {
    tied: false,
    gated: true,
    norm: "layer",
    activation: "silu",
    rotary: { share: 0.25 },
  });
  if (model === undefined) return undefined;
  const biased = fields.flag("use_qkv_bias") ?? false;
  const normed = fields.flag("qk_layernorm") ?? false;
  const parallel = fields.flag("use_parallel_residual") ?? false;
  return {
    ...model,
    ...(biased ? { biases: ["qkv"] } : {}),
    ...(normed ? { qkNorm: "each-head" } : {}),
    ...(parallel ? { parallelResidual: "shared-norm" } : {}),
  };
};

/** Layer norms with an offset of one, an MLP with squared relu, no biases. */
export const nemotron: Family = (fields) => {
  const model = decoder(fields, {
    ...plainDefaults,
    activation: "relu2",
    rotary: { share: 0.5 },
  });
  if (model === undefined) return undefined;
  const attention = fields.flag("attention_bias") === true;
  const mlp = fields.flag("mlp_bias") === true;
  return {
    ...model,
    unitOffsetNorms: true,
    ...(attention || mlp
      ? {
          biases: [
            ...(attention ? (["qkv", "attention-output"] as const) : []),
            ...(mlp ? (["mlp"] as const) : []),
          ],
        }
      : {}),
  };
};

/** Phi-1, 1.5 and 2: one norm for both, and even the head has a bias. */
export const phi: Family = (fields) => {
  const model = decoder(fields, {
    ...plainDefaults,
    activation: "gelu_new",
    rotary: { share: 0.5 },
  });
  if (model === undefined) return undefined;
  const qkNorm = fields.flag("qk_layernorm") === true;
  const whole: ModelFile = {
    ...model,
    biases: [...allBiases, "head"],
    parallelResidual: "shared-norm",
    ...(qkNorm ? { qkNorm } : {}),
  };
  return withFeatures(whole, ...(qkNorm ? ["layer-norm-of-heads"] : []));
};

/** Phi-3 is built like Llama; its projections are fused, which changes no size. */
export const phi3: Family = (fields) => {
  const model = llama(fields);
  for (const key of [
    "original_max_position_embeddings",
    "full_attn_mod",
    "interpolate_factor",
    "lm_head_bias",
  ])
    fields.value(key);
  return model && withWindow(fields, model, () => true);
};
