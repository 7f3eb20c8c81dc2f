// Llama and the dense models that are built like it.

import type { ModelFile } from "../schema_model.ts";
import {
  biasesOf,
  decoder,
  type Family,
  layersOfType,
  llamaDefaults,
  scaledPositions,
  withFeatures,
  withWindow,
} from "./hf_decoder.ts";
import type { ImportedFields } from "./fields.ts";

export const llama: Family = (fields) => {
  const model = decoder(fields, llamaDefaults);
  if (model === undefined) return undefined;
  const biases = biasesOf(
    fields.flag("attention_bias") ?? fields.flag("qkv_bias"),
    fields.flag("mlp_bias"),
  );
  return withFeatures({ ...model, ...biases }, ...scaledPositions(fields));
};

/** One `bias` or `use_bias` for all linear layers. */
export const oneBias: Family = (fields) => {
  const model = llama(fields);
  const biased = fields.flag("use_bias") ?? fields.flag("bias");
  return model && { ...model, ...biasesOf(biased, biased) };
};

/** Tied, with factors that scale embeddings, residuals, attention and logits. */
export const granite: Family = (fields) => {
  const model = llama(fields);
  const factors = [
    "embedding_multiplier",
    "residual_multiplier",
    "attention_multiplier",
    "logits_scaling",
  ].filter((key) => fields.number(key) !== undefined);
  return model && withFeatures(model, ...(factors.length === 0 ? [] : ["scaled-residuals"]));
};

/** Some layers have no positions at all. */
export const smollm: Family = (fields) => {
  const tied = fields.flag("tie_word_embeddings") ?? true;
  const model = llama(fields);
  fields.value("no_rope_layers");
  fields.value("no_rope_layer_interval");
  return model && withFeatures({ ...model, tiedEmbeddings: tied }, "layers-without-positions");
};

/** Biases of query, key and value, and none of the output. */
export const seedOss: Family = (fields) => {
  const model = decoder(fields, llamaDefaults);
  if (model === undefined) return undefined;
  const biases = [
    ...(fields.flag("attention_bias") === true ? (["qkv"] as const) : []),
    ...(fields.flag("attention_out_bias") === true ? (["attention-output"] as const) : []),
    ...(fields.flag("mlp_bias") === true ? (["mlp"] as const) : []),
  ];
  return withFeatures(
    { ...model, ...(biases.length === 0 ? {} : { biases }) },
    ...scaledPositions(fields),
  );
};

export const mistral: Family = (fields) => {
  const model = decoder(fields, llamaDefaults);
  if (model === undefined) return undefined;
  return withFeatures(withWindow(fields, model, model.layers), ...scaledPositions(fields));
};

/** Biases of query, key and value are no option in Qwen2: they are always there. */
export const qwen2: Family = (fields) => {
  const model = decoder(fields, llamaDefaults);
  if (model === undefined) return undefined;
  return withFeatures(
    qwenWindow(fields, { ...model, biases: ["qkv"] }),
    ...scaledPositions(fields),
  );
};

export const qwen3: Family = (fields) => {
  const model = decoder(fields, llamaDefaults);
  if (model === undefined) return undefined;
  return withFeatures(
    qwenWindow(fields, {
      ...model,
      ...biasesOf(fields.flag("attention_bias"), false),
      qkNorm: true,
    }),
    ...scaledPositions(fields),
  );
};

/** Norms stand after attention and MLP instead of before them, and each head has norms of its own. */
export const olmo2: Family = (fields) => {
  const model = llama(fields);
  if (model === undefined) return undefined;
  return withFeatures(
    withWindow(fields, { ...model, qkNorm: "all-heads" }, 0),
    "norms-after-instead-of-before",
  );
};

/** Two norms more in each block, biases of query, key and value, and rotary positions on half a head. */
export const glm4: Family = (fields) => {
  const model = decoder(fields, llamaDefaults);
  if (model === undefined) return undefined;
  const biased = fields.flag("attention_bias") === true;
  return withFeatures(
    { ...model, postNorms: true, ...(biased ? { biases: ["qkv" as const] } : {}) },
    "partly-rotary-heads",
    ...scaledPositions(fields),
  );
};

/** A window is given and switched off in most Qwen configs. */
export function qwenWindow(fields: ImportedFields, model: ModelFile): ModelFile {
  const first = fields.number("max_window_layers") ?? 0;
  const inUse = fields.flag("use_sliding_window") === true;
  const listed = layersOfType(fields, /sliding/) ?? 0;
  fields.value("sliding_window");
  return inUse || listed > 0 ? withWindow(fields, model, Math.max(1, model.layers - first)) : model;
}
