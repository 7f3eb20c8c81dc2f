// Llama and the dense models that are built like it: Mistral, Qwen2, Qwen3.

import type { ModelFile } from "../schema_model.ts";
import {
  decoder,
  type Family,
  llamaDefaults,
  scaledPositions,
  withFeatures,
} from "./hf_decoder.ts";
import type { JsonFields } from "./json_fields.ts";

export const llama: Family = (fields) => {
  const model = decoder(fields, llamaDefaults);
  if (model === undefined) return undefined;
  const attention = fields.flag("attention_bias") === true;
  const mlp = fields.flag("mlp_bias") === true;
  const biases = [
    ...(attention ? (["qkv", "attention-output"] as const) : []),
    ...(mlp ? (["mlp"] as const) : []),
  ];
  return withFeatures(
    { ...model, ...(biases.length === 0 ? {} : { biases }) },
    ...scaledPositions(fields),
  );
};

export const mistral: Family = (fields) => {
  const model = decoder(fields, llamaDefaults);
  return model && withWindow(fields, model, model.layers);
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
  const biased = fields.flag("attention_bias") === true;
  return withFeatures(
    qwenWindow(fields, {
      ...model,
      ...(biased ? { biases: ["qkv", "attention-output"] } : {}),
      qkNorm: true,
    }),
    ...scaledPositions(fields),
  );
};

/** A window is given and switched off in most Qwen configs. */
export const qwenWindow = (fields: JsonFields, model: ModelFile): ModelFile => {
  const first = fields.number("max_window_layers") ?? 0;
  const inUse = fields.flag("use_sliding_window") === true;
  fields.value("sliding_window");
  return inUse ? withWindow(fields, model, Math.max(1, model.layers - first)) : model;
};

export const withWindow = (fields: JsonFields, model: ModelFile, layers: number): ModelFile => {
  const tokens = fields.count("sliding_window");
  return tokens === undefined
    ? model
    : { ...model, slidingWindow: { tokens, layers: Math.min(layers, model.layers) } };
};
