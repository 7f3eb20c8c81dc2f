// What the keys of a config.json that most decoder models share say of a model.

import type { ModelFile } from "../schema_model.ts";
import { importedActivation } from "./activation.ts";
import type { ImportedFields } from "./fields.ts";
import { type RotaryDefaults, rotaryPositions } from "./hf_rotary.ts";

/** What a model type does where its config is silent. */
export interface DecoderDefaults {
  readonly tied: boolean;
  readonly gated: boolean;
  readonly norm: "rms" | "layer";
  readonly activation: string;
  /** Absent: all of each head, in halves, to the base 10,000. */
  readonly rotary?: RotaryDefaults;
  /** Inner width over hidden, where a config need not give the width. */
  readonly ffnPerHidden?: number;
}

export type Family = (fields: ImportedFields) => ModelFile | undefined;

export const llamaDefaults: DecoderDefaults = {
  tied: false,
  gated: true,
  norm: "rms",
  activation: "silu",
};

/** Names under which model types write one size; the first is the usual one. */
const sizeKeys = {
  layers: ["num_hidden_layers", "n_layer", "n_layers", "num_layers"],
  hidden: ["hidden_size", "n_embd", "d_model"],
  heads: ["num_attention_heads", "n_head", "n_heads"],
  kvHeads: ["num_key_value_heads", "num_kv_heads", "n_head_kv"],
  ffn: ["intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size"],
} as const;

function keyOf(fields: ImportedFields, names: readonly string[]): string {
  return names.find((name) => fields.peek(name) !== undefined) ?? names[0] ?? "";
}

/** Undefined where a size is missing; the fields have reported it. */
export function decoder(fields: ImportedFields, defaults: DecoderDefaults): ModelFile | undefined {
  const layers = fields.needed(keyOf(fields, sizeKeys.layers));
  const hidden = fields.needed(keyOf(fields, sizeKeys.hidden));
  const heads = fields.needed(keyOf(fields, sizeKeys.heads));
  const vocabulary = fields.needed("vocab_size");
  const ffnKey = keyOf(fields, sizeKeys.ffn);
  const ffn =
    defaults.ffnPerHidden === undefined
      ? fields.needed(ffnKey)
      : (fields.count(ffnKey) ?? (hidden ?? 0) * defaults.ffnPerHidden);
  if (
    layers === undefined ||
    hidden === undefined ||
    heads === undefined ||
    vocabulary === undefined ||
    ffn === undefined
  ) {
    return undefined;
  }
  const kvHeads = fields.count(keyOf(fields, sizeKeys.kvHeads)) ?? heads;
  const headDim = fields.count("head_dim");
  const tied = fields.flag("tie_word_embeddings") ?? defaults.tied;
  const { gated, norm, rotary = {} } = defaults;
  const { otherFeatures = [], ...activation } = importedActivation(
    activationKey(fields) ?? defaults.activation,
    gated,
  );
  const width = headDim ?? Math.floor(hidden / heads);
  const { positions, temperature, features: ofPositions } = rotaryPositions(fields, width, rotary);
  const features = [...otherFeatures, ...ofPositions];
  return {
    layers,
    hidden,
    heads,
    kvHeads,
    ...(headDim === undefined ? {} : { headDim }),
    ffn,
    gated,
    ...activation,
    norm,
    ...normEpsilonOf(fields),
    vocabulary,
    ...(tied ? { tiedEmbeddings: true } : {}),
    positions,
    ...(temperature === undefined ? {} : { attentionTemperature: temperature }),
    ...(features.length === 0 ? {} : { otherFeatures: features }),
  };
}

/** One epsilon for all norms, by what model types call it. */
function normEpsilonOf(fields: ImportedFields): Pick<ModelFile, "normEpsilon"> {
  const names = [
    "rms_norm_eps",
    "layer_norm_eps",
    "layer_norm_epsilon",
    "layernorm_epsilon",
    "norm_epsilon",
    "norm_eps",
  ];
  const written = fields.number(keyOf(fields, names));
  return written === undefined || written <= 0 || written === 1e-5 ? {} : { normEpsilon: written };
}

/** Gemma has it under two names, of which the longer counts. */
function activationKey(fields: ImportedFields): string | undefined {
  const older = fields.text("hidden_act") ?? fields.text("activation_function");
  return fields.text("hidden_activation") ?? older;
}

/** With more features in words. */
export function withFeatures(model: ModelFile, ...names: string[]): ModelFile {
  const all = [...new Set([...(model.otherFeatures ?? []), ...names])];
  return all.length === 0 ? model : { ...model, otherFeatures: all };
}

/** With more parameters; those of which there are none are left out. */
export function withParameters(model: ModelFile, more: Record<string, number>): ModelFile {
  const some = Object.entries(more).filter(([, count]) => count > 0);
  return some.length === 0
    ? model
    : { ...model, otherParameters: { ...model.otherParameters, ...Object.fromEntries(some) } };
}

/** Biases by which of two keys is set; model types differ in their names. */
export function biasesOf(
  attention: boolean | undefined,
  mlp: boolean | undefined,
): Pick<ModelFile, "biases"> {
  const biases = [
    ...(attention === true ? (["qkv", "attention-output"] as const) : []),
    ...(mlp === true ? (["mlp"] as const) : []),
  ];
  return biases.length === 0 ? {} : { biases };
}
