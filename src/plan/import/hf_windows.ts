// Which layers of a config.json see only a part of the sequence, and which have no positions.

import type { ModelFile } from "../schema_model.ts";
import type { ImportedFields } from "./fields.ts";

export type LayerTest = (layer: number) => boolean;

/** More layers than a plan takes are left to the schema to refuse. */
function indicesOf({ layers }: Pick<ModelFile, "layers">, test: LayerTest): number[] {
  return Array.from({ length: Math.min(layers, 10_000) }, (_, layer) => layer).filter(test);
}

/** All but every so manieth. */
export function allBut(every: number): LayerTest {
  return (layer) => (layer + 1) % every !== 0;
}

function typesOf(fields: ImportedFields): readonly unknown[] | undefined {
  const types = fields.value("layer_types");
  return Array.isArray(types) ? types : undefined;
}

function isOfType(types: readonly unknown[], type: RegExp): LayerTest {
  return (layer) => typeof types[layer] === "string" && type.test(types[layer]);
}

/** How many layers are of a type, where the config lists them one by one. */
export function layersOfType(fields: ImportedFields, type: RegExp): number | undefined {
  const types = typesOf(fields);
  return types && types.filter((each) => typeof each === "string" && type.test(each)).length;
}

/** Which layers are of a type, where the config lists them one by one. */
export function indicesOfType(
  fields: ImportedFields,
  model: Pick<ModelFile, "layers">,
  type: RegExp,
): number[] | undefined {
  const types = typesOf(fields);
  return types && indicesOf(model, isOfType(types, type));
}

/** @param isLocal which layers have a window, where the config does not list them */
export function withWindow(
  fields: ImportedFields,
  model: ModelFile,
  isLocal: LayerTest,
): ModelFile {
  const tokens = fields.count("sliding_window");
  const types = typesOf(fields);
  const own = indicesOf(model, types === undefined ? isLocal : isOfType(types, /sliding|local/));
  if (tokens === undefined || own.length === 0) return model;
  const layers = own.length === model.layers ? model.layers : own;
  return { ...model, slidingWindow: { tokens, layers } };
}

/** @param isChunked which layers see chunks, where the config does not list them */
export function withChunks(
  fields: ImportedFields,
  model: ModelFile,
  isChunked: LayerTest,
): ModelFile {
  const tokens = fields.count("attention_chunk_size");
  const types = typesOf(fields);
  const layers = indicesOf(model, types === undefined ? isChunked : isOfType(types, /chunked/));
  return tokens === undefined || layers.length === 0
    ? model
    : { ...model, chunkedAttention: { tokens, layers } };
}

/** Layers without positions: those marked 0 in a list, else every so manieth. */
export function unpositioned(fields: ImportedFields): LayerTest {
  const interval = fields.count("no_rope_layer_interval") ?? 4;
  const marks = fields.value("no_rope_layers");
  const isLast = allBut(interval);
  return Array.isArray(marks) && marks.length > 0
    ? (layer) => marks[layer] === 0
    : (layer) => !isLast(layer);
}

export function withoutPositionsIn(model: ModelFile, isWithout: LayerTest): ModelFile {
  const layersWithout = indicesOf(model, isWithout);
  return model.positions === undefined || layersWithout.length === 0
    ? model
    : { ...model, positions: { ...model.positions, layersWithout } };
}
