// What the keys of a config.json that most decoder models share say of a model.

import type { ModelFile } from "../schema_model.ts";
import type { JsonFields } from "./json_fields.ts";
import { activationOf } from "./activation.ts";

/** What a model type does where its config is silent. */
export interface DecoderDefaults {
  readonly tied: boolean;
  readonly gated: boolean;
  readonly norm: "rms" | "layer";
  readonly activation: string;
}

export type Family = (fields: JsonFields) => ModelFile | undefined;

export const llamaDefaults: DecoderDefaults = {
  tied: false,
  gated: true,
  norm: "rms",
  activation: "silu",
};

/** Undefined where a size is missing; the fields have reported it. */
export const decoder = (fields: JsonFields, defaults: DecoderDefaults): ModelFile | undefined => {
  const layers = fields.needed("num_hidden_layers");
  const hidden = fields.needed("hidden_size");
  const heads = fields.needed("num_attention_heads");
  const vocabulary = fields.needed("vocab_size");
  const ffn = fields.needed("intermediate_size");
  if (
    layers === undefined ||
    hidden === undefined ||
    heads === undefined ||
    vocabulary === undefined ||
    ffn === undefined
  ) {
    return undefined;
  }
  const kvHeads = fields.count("num_key_value_heads") ?? heads;
  const headDim = fields.count("head_dim");
  const tied = fields.flag("tie_word_embeddings") ?? defaults.tied;
  const { gated, norm } = defaults;
  return {
    layers,
    hidden,
    heads,
    kvHeads,
    ...(headDim === undefined ? {} : { headDim }),
    ffn,
    gated,
    ...activationOf(activationKey(fields) ?? defaults.activation, gated),
    norm,
    vocabulary,
    ...(tied ? { tiedEmbeddings: true } : {}),
    positions: { kind: "rotary" },
  };
};

/** Gemma has it under two names, of which the longer counts. */
const activationKey = (fields: JsonFields): string | undefined => {
  const older = fields.text("hidden_act");
  return fields.text("hidden_activation") ?? older;
};

/** With more features in words. */
export const withFeatures = (model: ModelFile, ...names: string[]): ModelFile => {
  const all = [...(model.otherFeatures ?? []), ...names];
  return all.length === 0 ? model : { ...model, otherFeatures: all };
};

/** Scaled rotary positions are a feature of their own. */
export const scaledPositions = (fields: JsonFields): string[] => {
  const scaling = fields.value("rope_scaling");
  if (scaling === undefined) return [];
  const kind = fields.value("rope_scaling", "rope_type") ?? fields.value("rope_scaling", "type");
  return [`rotary-scaling-${typeof kind === "string" ? kind : "unnamed"}`];
};
