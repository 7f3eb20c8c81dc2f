// A tiny model of some architecture, as both sides read it: config.json and safetensors as Hugging Face defines them for
// us, and GGUF for llama.cpp. What lies between the two, names and orders, follows llama.cpp's own converter.

import type { SourcedContent } from "../../src/program/content_source.ts";
import { hashSource } from "../../src/program/hash_source.ts";
import type { WholeWeight } from "../support/hashed_weights.ts";
import type { GgufTensor, GgufValue } from "./gguf.ts";

export interface PeerModel {
  readonly name: string;
  /** config.json */
  readonly config: Readonly<Record<string, unknown>>;
  /** Of every tensor in its checkpoint, by name. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly gguf: {
    readonly metadata: Readonly<Record<string, GgufValue>>;
    readonly tensors: (weight: (name: string) => WholeWeight) => readonly GgufTensor[];
  };
  /** Of the largest logit, beside what f32 leaves. */
  readonly tolerance?: number;
  /** How norms' weights lie. Default: around 1. */
  readonly normCenter?: number;
}

/** llama.cpp looks gelu up in a table of halves, which round by 2^-11; two layers do so. */
export const tableOfHalves = 2 * 2 ** -11;

/** Values that keep activations at their size and leave nothing symmetric: other norms, biases, heads matter. */
export function randomWeights({ shapes, normCenter = 1 }: PeerModel): Map<string, WholeWeight> {
  const source = hashSource(3);
  return new Map(
    Object.entries(shapes).map(([name, shape]) => {
      const content: SourcedContent = {
        kind: "uniform",
        tensor: name,
        ...rangeOf(name, shape, normCenter),
        shape,
        offset: shape.map(() => 0),
        size: shape,
      };
      const rows = shape.slice(0, -1).reduce((product, extent) => product * extent, 1);
      return [name, { shape, values: Float32Array.from(source.values(content, 0, rows)) }];
    }),
  );
}

function rangeOf(
  name: string,
  shape: readonly number[],
  normCenter: number,
): { readonly center: number; readonly scale: number } {
  if (/(norm|ln_\w+)[^/]*\.weight$/.test(name)) return { center: normCenter, scale: 0.4 };
  if (shape.length === 1 || name.endsWith("bias")) return { center: 0, scale: 0.5 };
  if (/embed|wte|wpe/.test(name)) return { center: 0, scale: 1 };
  return { center: 0, scale: Math.sqrt(3 / (shape.at(-1) ?? 1)) };
}

export function u32(value: number): GgufValue {
  return { type: "u32", value };
}
export function f32(value: number): GgufValue {
  return { type: "f32", value };
}
export function text(value: string): GgufValue {
  return { type: "string", value };
}

/** Keys of one architecture, and what each file has. */
export function metadataOf(
  architecture: string,
  own: Readonly<Record<string, GgufValue>>,
): Record<string, GgufValue> {
  return {
    "general.architecture": text(architecture),
    "tokenizer.ggml.model": text("none"),
    ...Object.fromEntries(
      Object.entries(own).map(([key, value]) => [`${architecture}.${key}`, value]),
    ),
  };
}

export function gguf(name: string, { shape, values }: WholeWeight): GgufTensor {
  return {
    name,
    shape,
    values,
  };
}
