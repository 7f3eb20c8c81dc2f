// What the keys of a config.json that most decoder models share say of a model.

import type { ModelFile } from "../schema_model.ts";
import { importedActivation } from "./activation.ts";
import { type ImportedFields, isObject } from "./fields.ts";

/** What a model type does where its config is silent. */
export interface DecoderDefaults {
  readonly tied: boolean;
  readonly gated: boolean;
  readonly norm: "rms" | "layer";
  readonly activation: string;
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
  const { gated, norm } = defaults;
  const { otherFeatures = [], ...activation } = importedActivation(
    activationKey(fields) ?? defaults.activation,
    gated,
  );
  const partly = isPartlyRotary(fields, headDim ?? hidden / heads) ? ["partly-rotary-heads"] : [];
  const features = [...otherFeatures, ...partly];
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
    vocabulary,
    ...(tied ? { tiedEmbeddings: true } : {}),
    positions: { kind: "rotary" },
    ...(features.length === 0 ? {} : { otherFeatures: features }),
  };
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

/** Rotary positions on a part of each head only. */
function isPartlyRotary(fields: ImportedFields, headDim: number): boolean {
  const share =
    fields.number("partial_rotary_factor") ??
    fields.number("rotary_pct") ??
    (fields.number("rotary_dim") ?? headDim) / headDim;
  return (
    share < 1 ||
    ropeParameters(fields).some((each) => Number(each["partial_rotary_factor"] ?? 1) < 1)
  );
}

/** One set of them, or one for each type of layer. */
function ropeParameters(fields: ImportedFields): readonly Readonly<Record<string, unknown>>[] {
  const value = fields.value("rope_parameters");
  if (!isObject(value)) return [];
  const nested = Object.values(value).filter(isObject);
  return nested.length > 0 && value["rope_type"] === undefined ? nested : [value];
}

/** Scaled rotary positions are a feature of their own. */
export function scaledPositions(fields: ImportedFields): string[] {
  const scaling = fields.value("rope_scaling");
  const all = [...(isObject(scaling) ? [scaling] : []), ...ropeParameters(fields)];
  return all.flatMap((each) => {
    const kind = each["rope_type"] ?? each["type"] ?? "unnamed";
    return kind === "default" || kind === "mrope"
      ? []
      : [`rotary-scaling-${typeof kind === "string" ? kind.slice(0, 40) : "unnamed"}`];
  });
}

/** How many layers are of a type, where the config lists them one by one. */
export function layersOfType(fields: ImportedFields, type: RegExp): number | undefined {
  const types = fields.value("layer_types");
  if (!Array.isArray(types)) return undefined;
  return types.filter((each) => typeof each === "string" && type.test(each)).length;
}

/** @param layers how many have a window, where the config does not list them */
export function withWindow(fields: ImportedFields, model: ModelFile, layers: number): ModelFile {
  const listed = layersOfType(fields, /sliding|chunked|local/);
  const tokens = fields.count(keyOf(fields, ["sliding_window", "attention_chunk_size"]));
  const windowed = Math.min(listed ?? layers, model.layers);
  return tokens === undefined || windowed === 0
    ? model
    : { ...model, slidingWindow: { tokens, layers: windowed } };
}
