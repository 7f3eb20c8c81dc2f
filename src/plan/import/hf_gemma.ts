// Gemma, up to 3: wide heads, tied embeddings, a gated MLP with gelu.

import { decoder, type DecoderDefaults, type Family } from "./hf_decoder.ts";
import type { ImportedFields } from "./fields.ts";
import { allBut, withWindow } from "./hf_windows.ts";
import type { ModelFile } from "../schema_model.ts";

export const gemmaDefaults: DecoderDefaults = {
  tied: true,
  gated: true,
  norm: "rms",
  activation: "gelu_pytorch_tanh",
};
/** Of all Gemma types, where the config is silent. */
const defaultHeadDim = 256;

export const gemma: Family = (fields) => {
  const model = decoder(fields, gemmaDefaults);
  return model && withTanhGelu(fields, model);
};

/** Every other layer within a window. */
export const gemma2: Family = (fields) => {
  const model = decoder(fields, gemmaDefaults);
  if (model === undefined) return undefined;
  const whole = withScores(fields, withTanhGelu(fields, { ...model, postNorms: true }));
  return withWindow(fields, { ...whole, ...softcapOf(fields) }, allBut(2));
};

/** The scale of attention's scores, and what they are capped at. */
function withScores(fields: ImportedFields, model: ModelFile): ModelFile {
  const width = fields.number("query_pre_attn_scalar");
  const attentionSoftcap = fields.number("attn_logit_softcapping");
  const isUsual = width === undefined || width === model.headDim;
  return {
    ...model,
    ...(isUsual ? {} : { attentionScale: 1 / Math.sqrt(width) }),
    ...(attentionSoftcap === undefined ? {} : { attentionSoftcap }),
  };
}

/** What the class has where a config, as in a part of a larger one, leaves it out. */
export const gemma3Defaults = {
  vocab_size: 262_208,
  hidden_size: 2304,
  intermediate_size: 9216,
  num_hidden_layers: 26,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  head_dim: 256,
  sliding_window: 4096,
  rope_theta: 1_000_000,
  rope_local_base_freq: 10_000,
};

/** One layer in `sliding_window_pattern` sees everything; queries and keys are normalised. */
export const gemma3: Family = (fields) => {
  const model = decoder(fields, gemmaDefaults);
  if (model === undefined) return undefined;
  const pattern =
    fields.count("sliding_window_pattern") ?? fields.count("_sliding_window_pattern") ?? 6;
  const whole = withScores(
    fields,
    withTanhGelu(fields, { ...model, postNorms: true, qkNorm: true }),
  );
  return withWindow(fields, { ...whole, ...softcapOf(fields) }, allBut(pattern));
};

export function softcapOf(fields: ImportedFields): Pick<ModelFile, "logitSoftcap"> {
  const cap = fields.number("final_logit_softcapping");
  return cap === undefined || cap <= 0 ? {} : { logitSoftcap: cap };
}

/** Its classes take the tanh form of GELU whatever an older key says. */
export function withTanhGelu(fields: ImportedFields, model: ModelFile): ModelFile {
  const biased = fields.flag("attention_bias") === true;
  const isSaid = fields.text("hidden_activation") !== undefined;
  return {
    ...model,
    activation: isSaid ? (model.activation ?? "gelu") : "gelu",
    headDim: model.headDim ?? defaultHeadDim,
    ...(biased ? { biases: ["qkv", "attention-output"] } : {}),
    embeddingScale: Math.sqrt(model.hidden),
    unitOffsetNorms: true,
  };
}
