// Gemma 4: layers with a window beside layers with wider heads, some of which read keys and values of layers before.

import type { OtherMixer } from "../attention_features.ts";
import type { ModelFile } from "../schema_model.ts";
import { decoder, type Family, withFeatures, withParameters } from "./hf_decoder.ts";
import type { ImportedFields } from "./fields.ts";
import { gemmaDefaults, softcapOf, withTanhGelu } from "./hf_gemma.ts";
import { withWindow } from "./hf_windows.ts";

/** What its class has where a config leaves it out. */
export const gemma4Defaults = {
  vocab_size: 262_144,
  hidden_size: 2304,
  intermediate_size: 9216,
  num_hidden_layers: 30,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  head_dim: 256,
  sliding_window: 512,
  hidden_size_per_layer_input: 256,
  vocab_size_per_layer_input: 262_144,
  rope_parameters: {
    sliding_attention: { rope_type: "default", rope_theta: 10_000 },
    full_attention: {
      rope_type: "proportional",
      partial_rotary_factor: 0.25,
      rope_theta: 1_000_000,
    },
  },
};

/** One layer in six sees everything, and the last one does whatever the config says. */
export const gemma4: Family = (fields) => {
  const model = decoder(fields, gemmaDefaults);
  if (model === undefined) return undefined;
  const last = model.layers - 1;
  const types = fields.value("layer_types");
  const isWindowed = (layer: number): boolean =>
    layer !== last &&
    (Array.isArray(types) ? types[layer] === "sliding_attention" : (layer + 1) % 6 !== 0);
  const { unitOffsetNorms: _plain, ...gemma } = withTanhGelu(fields, model);
  const whole: ModelFile = {
    ...gemma,
    postNorms: true,
    qkNorm: true,
    attentionScale: 1,
    ...softcapOf(fields),
  };
  return withFeatures(
    withLayerInputs(
      fields,
      withExpertsBeside(
        fields,
        withOtherAttention(fields, withWindow(fields, whole, isWindowed), isWindowed),
      ),
    ),
    "norms-of-values",
    "scales-of-layers",
  );
};

/** Of attention: its kinds by layers, whose heads, keys and values differ. */
function withOtherAttention(
  fields: ImportedFields,
  model: ModelFile,
  isWindowed: (layer: number) => boolean,
): ModelFile {
  const { layers, hidden, heads, kvHeads = heads, headDim = 256 } = model;
  const wide = fields.count("global_head_dim") ?? 512;
  const keysAreValues = fields.flag("attention_k_eq_v") ?? false;
  const ownHeads = fields.count("num_global_key_value_heads");
  const globalHeads = keysAreValues ? (ownHeads ?? kvHeads) : kvHeads;
  const shared = Math.min(layers, fields.number("num_kv_shared_layers") ?? 0);
  const isSharing = (layer: number): boolean => shared < layers && layer >= layers - shared;
  const all = Array.from({ length: Math.min(layers, 10_000) }, (_, layer) => layer);
  const perDim = 2 * heads * hidden;
  const kinds: OtherMixer[] = [
    {
      kind: `attention of ${wide}-wide heads${keysAreValues ? " whose values are keys" : ""}`,
      layers: all.filter((layer) => !isWindowed(layer) && !isSharing(layer)),
      parameters: wide * (perDim + (keysAreValues ? 1 : 2) * globalHeads * hidden + 2),
    },
    {
      kind: `attention of ${wide}-wide heads on keys of layers before`,
      layers: all.filter((layer) => !isWindowed(layer) && isSharing(layer)),
      parameters: wide * (perDim + 1),
    },
    {
      kind: "attention on keys of layers before",
      layers: all.filter((layer) => isWindowed(layer) && isSharing(layer)),
      parameters: headDim * (perDim + 1),
    },
  ];
  const doubled = fields.flag("use_double_wide_mlp") === true ? shared : 0;
  const otherMixers = kinds
    .filter((each) => typeof each.layers !== "number" && each.layers.length > 0)
    .map(({ layers: own, ...each }) => ({
      ...each,
      layers: typeof own === "number" ? own : [...own],
    }));
  const described: ModelFile = otherMixers.length === 0 ? model : { ...model, otherMixers };
  if (doubled === 0) return described;
  const more = withParameters(described, {
    "mlps-of-twice-the-width": doubled * 3 * hidden * (model.ffn ?? 4 * hidden),
  });
  return withFeatures(more, "mlps-of-twice-the-width");
}

/** Each layer adds, behind its MLP, what a table of its own has of the token, through a gate. */
function withLayerInputs(fields: ImportedFields, model: ModelFile): ModelFile {
  const width = fields.number("hidden_size_per_layer_input") ?? 0;
  const rows = fields.count("vocab_size_per_layer_input") ?? model.vocabulary ?? 0;
  if (width <= 0) return model;
  const { layers, hidden } = model;
  const described = withParameters(model, {
    "embeddings-of-each-layer": rows * layers * width,
    "inputs-of-each-layer": layers * (3 * hidden * width + hidden) + width,
  });
  return withFeatures(described, "embeddings-of-each-layer");
}

/** Experts read what the MLP reads, beside it, and both are added before the norm behind them. */
function withExpertsBeside(fields: ImportedFields, model: ModelFile): ModelFile {
  const isOn = fields.flag("enable_moe_block") === true;
  const experts = fields.count("num_experts");
  const topK = fields.count("top_k_experts");
  const ffn = fields.count("moe_intermediate_size");
  if (!isOn || experts === undefined || topK === undefined || ffn === undefined) return model;
  const { layers, hidden } = model;
  const described = withParameters(model, {
    "scales-of-experts": layers * (experts + hidden),
    "norms-beside": layers * hidden,
  });
  return withFeatures(
    { ...described, moe: { experts, topK, ffn, dense: true, renormalise: true } },
    "experts-beside-mlp",
  );
}
