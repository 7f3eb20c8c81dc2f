// Gemma 1 to 3: wide heads, tied embeddings, a gated MLP with gelu.

import {
  decoder,
  type DecoderDefaults,
  type Family,
  scaledPositions,
  withFeatures,
  withWindow,
} from "./hf_decoder.ts";
import type { ImportedFields } from "./fields.ts";
import type { ModelFile } from "../schema_model.ts";

const defaults: DecoderDefaults = {
  tied: true,
  gated: true,
  norm: "rms",
  activation: "gelu_pytorch_tanh",
};
/** Of all Gemma types, where the config is silent. */
const defaultHeadDim = 256;

export const gemma: Family = (fields) => {
  const model = decoder(fields, defaults);
  return model && withFeatures(named(fields, model), ...scaledPositions(fields));
};

/** Every other layer within a window. */
export const gemma2: Family = (fields) => {
  const model = decoder(fields, defaults);
  if (model === undefined) return undefined;
  const capped = [
    ...(fields.number("attn_logit_softcapping") === undefined ? [] : ["attention-softcap"]),
    ...(fields.number("final_logit_softcapping") === undefined ? [] : ["logit-softcap"]),
  ];
  fields.number("query_pre_attn_scalar");
  const half = Math.ceil(model.layers / 2);
  const whole = named(fields, { ...model, postNorms: true });
  return withFeatures(withWindow(fields, whole, half), ...capped, ...scaledPositions(fields));
};

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
};

/** One layer in `sliding_window_pattern` sees everything; queries and keys are normalised. */
export const gemma3: Family = (fields) => {
  const model = decoder(fields, defaults);
  if (model === undefined) return undefined;
  const pattern =
    fields.count("sliding_window_pattern") ?? fields.count("_sliding_window_pattern") ?? 6;
  const local = Math.max(1, model.layers - Math.floor(model.layers / pattern));
  fields.number("query_pre_attn_scalar");
  fields.number("rope_local_base_freq");
  fields.value("attn_logit_softcapping");
  fields.value("final_logit_softcapping");
  const whole = named(fields, { ...model, postNorms: true, qkNorm: true });
  return withFeatures(withWindow(fields, whole, local), ...scaledPositions(fields));
};

function named(fields: ImportedFields, model: ModelFile): ModelFile {
  const biased = fields.flag("attention_bias") === true;
  return withFeatures(
    {
      ...model,
      headDim: model.headDim ?? defaultHeadDim,
      ...(biased ? { biases: ["qkv", "attention-output"] } : {}),
    },
    "embedding-scale",
    "unit-offset-norm",
  );
}
