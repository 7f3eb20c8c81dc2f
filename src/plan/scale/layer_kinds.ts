// Which layers of a model are kept when it has fewer, so that each kind is still there, in the order and about the
// proportion of the whole model.

import { valueAt, type Path } from "../document.ts";
import { type ModelFile, modelSchema } from "../schema_model.ts";

/** Where a model says which of its layers are of a kind: by their numbers, or how many of them. */
const places: readonly Path[] = [
  ["moe", "denseLayers"],
  ["slidingWindow", "layers"],
  ["chunkedAttention", "layers"],
  ["positions", "layersWithout"],
  ["gatedDelta", "layers"],
];

interface Kinds {
  readonly lists: readonly { readonly path: Path; readonly layers: ReadonlySet<number> }[];
  readonly counts: readonly { readonly path: Path; readonly count: number }[];
}

function kindsOf(model: ModelFile): Kinds {
  const mixers = (model.otherMixers ?? []).map((_, i): Path => ["otherMixers", i, "layers"]);
  const found = [...places, ...mixers].map((path) => ({ path, value: valueAt(model, path) }));
  return {
    lists: found.flatMap(({ path, value }) =>
      Array.isArray(value) ? [{ path, layers: new Set(value.map(Number)) }] : [],
    ),
    counts: found.flatMap(({ path, value }) =>
      typeof value === "number" ? [{ path, count: value }] : [],
    ),
  };
}

/** Layers by kind, in their order. */
function layersByKind({ layers }: ModelFile, { lists }: Kinds): number[][] {
  const kinds = new Map<string, number[]>();
  for (let layer = 0; layer < layers; layer += 1) {
    const kind = lists.map((list) => (list.layers.has(layer) ? "1" : "0")).join("");
    const own = kinds.get(kind) ?? [];
    kinds.set(kind, own);
    own.push(layer);
  }
  return [...kinds.values()];
}

/** As few layers as have each kind among them. */
export function leastLayers(model: ModelFile): number {
  const kinds = kindsOf(model);
  const isMixed = kinds.counts.some(({ count }) => count > 0 && count < model.layers);
  return Math.max(layersByKind(model, kinds).length, isMixed ? 2 : 1);
}

/** The model with so many layers, at least `leastLayers`: of each kind its share, evenly from front to back. */
export function withLayers(model: ModelFile, layers: number): ModelFile {
  const kinds = kindsOf(model);
  const kept = keptLayers(layersByKind(model, kinds), layers, model.layers);
  const changed: Record<string, unknown> = structuredClone({ ...model, layers });
  for (const { path, layers: own } of kinds.lists) {
    put(
      changed,
      path,
      kept.flatMap((layer, i) => (own.has(layer) ? [i] : [])),
    );
  }
  for (const { path, count } of kinds.counts) {
    const share = Math.round((count * layers) / model.layers);
    const [low, high] = count < model.layers ? [1, layers - 1] : [layers, layers];
    put(changed, path, Math.min(high, Math.max(low, share)));
  }
  return modelSchema.parse(changed);
}

/** By largest remainder, at least one of each kind. */
function keptLayers(kinds: readonly number[][], wanted: number, all: number): number[] {
  const counts = kinds.map(({ length }) => Math.max(1, Math.floor((length * wanted) / all)));
  for (let sum = total(counts); sum !== wanted; sum = total(counts)) {
    // Of the kinds that may change, the one that is furthest from its share.
    const sign = Math.sign(wanted - sum);
    const [next] = kinds
      .map(({ length }, at) => ({ at, off: sign * ((length * wanted) / all - (counts[at] ?? 0)) }))
      .filter(({ at }) => sign > 0 || (counts[at] ?? 0) > 1)
      .toSorted((a, b) => b.off - a.off);
    if (next === undefined) break;
    counts[next.at] = (counts[next.at] ?? 0) + sign;
  }
  return kinds.flatMap((layers, at) => evenly(layers, counts[at] ?? 0)).toSorted((a, b) => a - b);
}

function evenly(layers: readonly number[], count: number): number[] {
  return Array.from(
    { length: count },
    (_, i) => layers[Math.floor((i * layers.length) / count)] ?? 0,
  );
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The path exists: a value was found there. */
function put(model: Record<string, unknown>, path: Path, value: unknown): void {
  const parent = valueAt(model, path.slice(0, -1));
  const key = path.at(-1);
  if (typeof parent === "object" && parent !== null && key !== undefined) {
    Reflect.set(parent, key, value);
  }
}
