// What attention over the tokens of whole sequences depends on, and what the shaders of all its alternatives take of it.

import { type Binding, read, write } from "./kernel.ts";
import { bytesPerElement, type StorageType } from "./storage.ts";

/** What attention makes of scores, and which keys a query sees. */
export interface ScoreRules {
  /** A query sees its own position and earlier ones. */
  readonly causal: boolean;
  /** Of scores. Default: 1 / √headDim. */
  readonly scale?: number;
  /** Scores become cap · tanh(score / cap). */
  readonly softcap?: number;
  /** A query sees tokens fewer than that many away. */
  readonly window?: number;
  /** A query sees tokens of its own chunk of that many. */
  readonly chunk?: number;
  /** Scores fall with the distance, by a slope of each head. */
  readonly alibi?: Alibi;
}

export interface AttentionShape extends ScoreRules {
  /** Sequences. */
  readonly batch: number;
  /** Tokens per sequence. */
  readonly sequence: number;
  /** Query heads on this rank. */
  readonly heads: number;
  /** Key and value heads on this rank; divides `heads`. */
  readonly kvHeads: number;
  /** Of a query and a key. A multiple of 4, at most 256. */
  readonly headDim: number;
  /** Where values lie apart from queries and keys. Absent: of each token they follow its keys, `headDim` wide. */
  readonly values?: ValuesApart;
  /** Binding `sinks` f32 [heads]: a score of each head that no value belongs to. */
  readonly sinks?: true;
}

/** Binding `v` [tokens, columns]: of head h the `dim` columns from `first + h · step` on, all multiples of 4. */
export interface ValuesApart {
  readonly dim: number;
  readonly columns: number;
  readonly first: number;
  readonly step: number;
}

/** Slopes are those of `heads` heads, of which this rank has some from `first` on. */
export interface Alibi {
  readonly heads: number;
  readonly first: number;
}

export function valueDimOf({ values, headDim }: AttentionShape): number {
  return values?.dim ?? headDim;
}

/** Each has its place in a shader whether or not others are there. */
export function attentionBindings({ values, sinks }: AttentionShape): Binding[] {
  return [
    { ...read("qkv"), slot: 0 },
    ...(values === undefined ? [] : [{ ...read("v"), slot: 2 }]),
    ...(sinks === undefined ? [] : [{ ...read("sinks", "f32"), slot: 3 }]),
    { ...write("y"), slot: 1 },
  ];
}

export function sinksPrelude({ sinks }: Pick<AttentionShape, "sinks">): string {
  return `attention/${sinks === undefined ? "no_" : ""}sinks`;
}

export function attentionPreludes(shape: AttentionShape): string[] {
  return [
    `attention/values_${shape.values === undefined ? "beside" : "apart"}`,
    sinksPrelude(shape),
    "attention/keys_seen",
    "attention/scores",
  ];
}

/** Of `attention/keys_seen`. */
export function keysSeenConstants({
  sequence,
  causal,
  window = 0,
  chunk = 0,
}: Pick<AttentionShape, "sequence" | "causal" | "window" | "chunk">): Record<string, number> {
  return { SEQUENCE: sequence, CAUSAL: causal ? 1 : 0, WINDOW: window, CHUNK: chunk };
}

/** Of `attention/scores`. */
export function scoreConstants(
  shape: Pick<AttentionShape, "heads" | "kvHeads" | "headDim" | "scale" | "softcap" | "alibi">,
  valueDim: number,
): Record<string, number> {
  const { heads, kvHeads, headDim, scale, softcap = 0, alibi } = shape;
  return {
    HEADS: heads,
    KV_HEADS: kvHeads,
    HEAD_DIM: headDim,
    VALUE_DIM: valueDim,
    SCALE: scale ?? 1 / Math.sqrt(headDim),
    SOFTCAP: softcap,
    ALIBI_HEADS: alibi?.heads ?? 0,
    FIRST_HEAD: alibi?.first ?? 0,
  };
}

/** Beside those of an alternative's own tiling. */
export function attentionConstants(shape: AttentionShape): Record<string, number> {
  const { values } = shape;
  return {
    ...keysSeenConstants(shape),
    ...scoreConstants(shape, valueDimOf(shape)),
    ...(values === undefined
      ? {}
      : { V_QUADS: values.columns / 4, V_FIRST: values.first / 4, V_STEP: values.step / 4 }),
  };
}

/** Pairs of a query and a key that it sees, of one head and sequence: a causal mask leaves half of a square. */
export function attendedPairs({
  sequence,
  causal,
  window = Infinity,
  chunk = Infinity,
}: Pick<AttentionShape, "sequence" | "causal" | "window" | "chunk">): number {
  const of = (length: number): number => {
    const reach = Math.min(length, window);
    const below = reach * length - reach ** 2 / 2;
    return causal ? below : 2 * below - (length - reach);
  };
  if (chunk >= sequence) return of(sequence);
  return Math.floor(sequence / chunk) * of(chunk) + of(sequence % chunk);
}

export function attentionFlops(shape: AttentionShape): number {
  return 2 * shape.batch * shape.heads * attendedPairs(shape) * (shape.headDim + valueDimOf(shape));
}

export function attentionBytes(shape: AttentionShape, dtype: StorageType): number {
  const { batch, sequence, heads, kvHeads, headDim, sinks } = shape;
  const columns = (heads + kvHeads) * (headDim + valueDimOf(shape));
  return (
    batch * sequence * columns * bytesPerElement(dtype) + (sinks === undefined ? 0 : 4 * heads)
  );
}

/** Elements of a token's row of qkv: queries, keys, and values where they do not lie apart. */
export function qkvColumns({ heads, kvHeads, headDim, values }: AttentionShape): number {
  return (heads + (values === undefined ? 2 : 1) * kvHeads) * headDim;
}
