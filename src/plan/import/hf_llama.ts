// Llama and the dense models that are built like it.

import type { ModelFile } from "../schema_model.ts";
import { biasesOf, decoder, type Family, llamaDefaults } from "./hf_decoder.ts";
import { defaultBase } from "../layers/rotary.ts";
import type { ImportedFields } from "./fields.ts";
import type { RotaryDefaults } from "./hf_rotary.ts";
import {
  allBut,
  layersOfType,
  unpositioned,
  withoutPositionsIn,
  withWindow,
} from "./hf_windows.ts";

export const llama: Family = (fields) => llamaWith(fields, {});

function llamaWith(fields: ImportedFields, rotary: RotaryDefaults): ModelFile | undefined {
  const model = decoder(fields, { ...llamaDefaults, rotary });
  if (model === undefined) return undefined;
  const biases = biasesOf(
    fields.flag("attention_bias") ?? fields.flag("qkv_bias"),
    fields.flag("mlp_bias"),
  );
  return { ...model, ...biases };
}

/** One `bias` or `use_bias` for all linear layers. */
export const oneBias: Family = (fields) => withOneBias(fields, llama(fields));

/** Likewise, and neighbors of a head are pairs. */
export const ernie: Family = (fields) =>
  withOneBias(fields, llamaWith(fields, { interleaved: true }));

function withOneBias(fields: ImportedFields, model: ModelFile | undefined): ModelFile | undefined {
  const biased = fields.flag("use_bias") ?? fields.flag("bias");
  return model && { ...model, ...biasesOf(biased, biased) };
}

/** A factor that changes something. */
export function scaleBeside1(
  key: "embeddingScale" | "residualScale" | "logitScale",
  factor: number,
): Pick<ModelFile, typeof key> {
  return factor === 1 || !(factor > 0) || !Number.isFinite(factor) ? {} : { [key]: factor };
}

/** Some layers have no positions at all. */
export const smollm: Family = (fields) => {
  const tied = fields.flag("tie_word_embeddings") ?? true;
  const model = llamaWith(fields, { base: 2_000_000 });
  const isWithout = unpositioned(fields);
  return model && withoutPositionsIn({ ...model, tiedEmbeddings: tied }, isWithout);
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
  return { ...model, ...(biases.length === 0 ? {} : { biases }) };
};

export const mistral: Family = (fields) => {
  const model = decoder(fields, llamaDefaults);
  if (model === undefined) return undefined;
  return withWindow(fields, model, () => true);
};

/** Biases of query, key and value are no option in Qwen2: they are always there. */
export const qwen2: Family = (fields) => {
  const model = decoder(fields, llamaDefaults);
  if (model === undefined) return undefined;
  return qwenWindow(fields, { ...model, biases: ["qkv"] });
};

export const qwen3: Family = (fields) => {
  const model = decoder(fields, llamaDefaults);
  if (model === undefined) return undefined;
  return qwenWindow(fields, {
    ...model,
    ...biasesOf(fields.flag("attention_bias"), false),
    qkNorm: true,
  });
};

/** Norms stand after attention and MLP instead of before them, and each head has norms of its own. */
export const olmo2: Family = (fields) => {
  const model = llama(fields);
  if (model === undefined) return undefined;
  const whole = { ...model, qkNorm: "all-heads" as const, postNorms: "only" as const };
  return scaledElsewhere(withWindow(fields, whole, allBut(4)));
};

/** EXAONE 4: norms behind, of heads too; where there is a window, the layers without it have no positions. */
export const exaone4: Family = (fields) => {
  const model = llama(fields);
  if (model === undefined) return undefined;
  const pattern = fields.value("sliding_window_pattern") ?? 4;
  // A letter for each layer, over and over, or how many there are from one without a window to the next.
  const isLocal =
    typeof pattern === "string" && pattern.length > 0
      ? (layer: number): boolean => pattern[layer % pattern.length] === "L"
      : allBut(typeof pattern === "number" ? pattern : 4);
  const whole = withWindow(fields, { ...model, qkNorm: true, postNorms: "only" }, isLocal);
  const { slidingWindow } = whole;
  if (slidingWindow === undefined || typeof slidingWindow.layers === "number") return whole;
  const windowed = new Set(slidingWindow.layers);
  return withoutPositionsIn(whole, (layer) => !windowed.has(layer));
};

/** Scalings are of the layers without a window. */
function scaledElsewhere(model: ModelFile): ModelFile {
  const { positions, slidingWindow } = model;
  if (positions?.scaling === undefined || slidingWindow === undefined) return model;
  const { base: localBase = defaultBase } = positions;
  return { ...model, positions: { localBase, ...positions } };
}

/** Two norms more in each block, biases of query, key and value, and rotary positions on half a head. */
export const glm4: Family = (fields) => {
  const model = decoder(fields, { ...llamaDefaults, rotary: { share: 0.5, interleaved: true } });
  if (model === undefined) return undefined;
  const biased = fields.flag("attention_bias") === true;
  return { ...model, postNorms: true, ...(biased ? { biases: ["qkv" as const] } : {}) };
};

/** A window is given and switched off in most Qwen configs. */
export function qwenWindow(fields: ImportedFields, model: ModelFile): ModelFile {
  const first = fields.number("max_window_layers") ?? 0;
  const inUse = fields.flag("use_sliding_window") === true;
  const listed = layersOfType(fields, /sliding/) ?? 0;
  fields.value("sliding_window");
  return inUse || listed > 0 ? withWindow(fields, model, (layer) => layer >= first) : model;
}
