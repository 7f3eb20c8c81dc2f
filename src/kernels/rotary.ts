import { fold } from "./grid.ts";
import { type AdapterTraits, type Kernel, read, write } from "./kernel.ts";
import { isCpuAdapter } from "./cpu_adapter.ts";
import {
  positionsBindings,
  positionsBytes,
  positionsConstants,
  positionsPrelude,
  type PositionsShape,
} from "./positions.ts";
import { bytesPerElement } from "./storage.ts";

export interface RotaryShape extends PositionsShape {
  readonly rows: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** A multiple of 4. */
  readonly headDim: number;
  /** Of x, whose first are queries and keys, of latent attention queries alone; a multiple of 4. */
  readonly columns: number;
  readonly latent?: LatentHeads;
  readonly turn?: HeadTurn;
  readonly norm?: HeadNorm;
  /** Of queries, behind norm and turn. */
  readonly temperature?: RotaryTemperature;
  /**
   * Of the backward pass: x is a gradient of queries and keys, which are turned back, and behind them y has those of
   * values, binding `dv` [rows, kvHeads · valueDim]. Without `norm` and `latent`; `columns` are those of x.
   */
  readonly back?: { readonly valueDim: number };
}

/** Of latent attention, multiples of 4. */
export interface LatentHeads {
  /** Of a key, that its head has alone; the rest all heads share. */
  readonly plainDim: number;
  /** Of a value, which lies behind the first part of its key. */
  readonly valueDim: number;
  /** Columns before those of the part that all keys share. */
  readonly rank: number;
}

export interface HeadTurn {
  /** Of a head, before those that are turned; a multiple of 4. */
  readonly first: number;
  /** Of a head, that are turned; even. */
  readonly dims: number;
  /** Neighbors are pairs; else numbers `dims / 2` apart. */
  readonly interleaved: boolean;
}

export interface HeadNorm {
  /**
   * `head`: by the root mean square of a head, with one head's weights for all; `each-head`: a layer norm of each head,
   * with weights of its own; `all-heads`: by mean squares of all heads that are given, likewise; `unweighted`: as
   * `head`.
   */
  readonly kind: "head" | "each-head" | "all-heads" | "unweighted";
  readonly epsilon: number;
}

/** Queries are multiplied by 1 + scale · ln(1 + floor((position + offset) / interval)). */
export interface RotaryTemperature {
  readonly scale: number;
  readonly interval: number;
  readonly offset: number;
}

const normCodes = { head: 1, unweighted: 1, "each-head": 2, "all-heads": 3 } as const;

/** Positions whose rotations are in the table one by one; of later ones, every so manieth. */
export const finePositions = 256;

/** Rows of the table: the fine positions, then where there are more every so manieth. */
export function rotationRows(sequence: number): number {
  return sequence <= finePositions ? sequence : finePositions + Math.ceil(sequence / finePositions);
}

/** Columns of the table: of every four pairs four cosines, then four sines. */
export function rotationColumns(dims: number): number {
  return 8 * Math.ceil(dims / 8);
}

/** Invocations of a workgroup. */
const workgroup = 64;

/** That share a head: on a CPU a barrier costs more than another step of a loop. */
function lanesOf({ headDim }: RotaryShape, adapter: AdapterTraits | undefined): number {
  return isCpuAdapter(adapter) ? 1 : Math.min(16, 2 ** Math.floor(Math.log2(headDim / 4)));
}

function hasGains({ norm }: RotaryShape): boolean {
  return norm !== undefined && norm.kind !== "unweighted";
}

function isGiven({ norm }: RotaryShape): boolean {
  return norm?.kind === "all-heads";
}

function hasOwnGains({ norm }: RotaryShape): boolean {
  return norm?.kind === "all-heads" || norm?.kind === "each-head";
}

/** Elements of the gains: queries' first. */
export function gainElements(shape: RotaryShape): number {
  return (hasOwnGains(shape) ? shape.heads + shape.kvHeads : 2) * shape.headDim;
}

function elementsOf({ rows, heads, kvHeads, headDim }: RotaryShape): number {
  return rows * (heads + kvHeads) * headDim;
}

function elementsRead(shape: RotaryShape): number {
  const { rows, heads, kvHeads, headDim, latent } = shape;
  if (latent === undefined) return elementsOf(shape);
  const { plainDim } = latent;
  return rows * (heads * headDim + kvHeads * plainDim + headDim - plainDim);
}

function sourceConstants({ columns, latent }: RotaryShape): Record<string, number> {
  return latent === undefined
    ? { X_QUADS: columns / 4 }
    : {
        PLAIN_QUADS: latent.plainDim / 4,
        VALUE_QUADS: latent.valueDim / 4,
        RANK_QUADS: latent.rank / 4,
      };
}

/** Whether anything depends on a row's position. */
function isPlaced({ turn, temperature }: RotaryShape): boolean {
  return turn !== undefined || temperature !== undefined;
}

function temperatureConstants({ temperature }: RotaryShape): Record<string, number> {
  return temperature === undefined
    ? {}
    : {
        TEMPERATURE: temperature.scale,
        INTERVAL: temperature.interval,
        OFFSET: temperature.offset,
      };
}

function turnConstants(shape: RotaryShape): Record<string, number> {
  const { turn, back } = shape;
  return turn === undefined
    ? {}
    : {
        FIRST: turn.first / 4,
        DIMS: turn.dims,
        INTERLEAVED: turn.interleaved ? 1 : 0,
        FINE: finePositions,
        SINE: back === undefined ? 1 : -1,
      };
}

/**
 * Queries and keys of packed rows, normalized and turned by their positions: y [rows, (heads + kvHeads) · headDim]; or,
 * with `back`, the gradient of packed rows from that of y.
 */
export const rotary: Kernel<RotaryShape> = {
  name: "rotary",
  bindings: (shape) => [
    { ...read("x"), slot: 0 },
    ...(shape.turn === undefined ? [] : [{ ...read("rotations", "f32"), slot: 2 }]),
    ...(hasGains(shape) ? [{ ...read("gains"), slot: 3 }] : []),
    ...(isGiven(shape) ? [{ ...read("squares", "f32"), slot: 4 }] : []),
    ...(shape.latent === undefined
      ? []
      : [
          { ...read("kv"), slot: 5 },
          { ...read("down"), slot: 6 },
        ]),
    ...(isPlaced(shape) ? positionsBindings(shape) : []),
    ...(shape.back === undefined ? [] : [{ ...read("dv"), slot: 7 }]),
    { ...write("y"), slot: 1 },
  ],
  preludes: (shape) => [
    "rotary/lanes",
    `rotary/${shape.back === undefined ? "own" : "packed"}_rows`,
    `rotary/${shape.latent === undefined ? "packed" : "latent"}`,
    ...(isPlaced(shape) ? [positionsPrelude(shape)] : []),
    `rotary/${shape.turn === undefined ? "un" : ""}turned`,
    `rotary/${shape.temperature === undefined ? "un" : ""}tempered`,
    `rotary/${hasGains(shape) ? "" : "no_"}gains`,
    `rotary/${isGiven(shape) ? "" : "no_"}squares`,
  ],
  constants: (shape, adapter) => ({
    ROWS: shape.rows,
    HEADS: shape.heads,
    KV_HEADS: shape.kvHeads,
    HEAD_DIM: shape.headDim,
    NORM: shape.norm === undefined ? 0 : normCodes[shape.norm.kind],
    EPSILON: shape.norm?.epsilon ?? 0,
    LANES: lanesOf(shape, adapter),
    WORKGROUP: workgroup,
    ...sourceConstants(shape),
    ...(isPlaced(shape) ? positionsConstants(shape) : {}),
    ...turnConstants(shape),
    ...temperatureConstants(shape),
    ...(shape.back === undefined ? {} : { VALUE_QUADS: shape.back.valueDim / 4 }),
    ...(hasGains(shape) ? { OWN_GAINS: hasOwnGains(shape) ? 1 : 0 } : {}),
  }),
  grid: (shape, adapter) => {
    const heads = shape.rows * (shape.heads + shape.kvHeads);
    return [...fold(Math.ceil((heads * lanesOf(shape, adapter)) / workgroup)), 1];
  },
  flops: (shape) => {
    const { rows, heads, headDim, turn, norm, temperature } = shape;
    const turned = (3 * (turn?.dims ?? 0)) / headDim;
    const normalized = norm === undefined ? 0 : isGiven(shape) ? 2 : 4;
    const tempered = temperature === undefined ? 0 : rows * heads * headDim;
    return elementsOf(shape) * (turned + normalized) + tempered;
  },
  bytes: (shape, dtype) => {
    const { rows, sequence, kvHeads, turn, back } = shape;
    const values = back === undefined ? 0 : 2 * rows * kvHeads * back.valueDim;
    const gains = hasGains(shape) ? gainElements(shape) : 0;
    const stored = elementsOf(shape) + elementsRead(shape) + gains + values;
    // A row reads two rows of the table.
    const tableRows = Math.min(rotationRows(sequence), 2 * rows);
    const table = turn === undefined ? 0 : 4 * tableRows * rotationColumns(turn.dims);
    const placed = isPlaced(shape) ? positionsBytes(shape, rows) : 0;
    return stored * bytesPerElement(dtype) + table + placed + (isGiven(shape) ? 16 * rows : 0);
  },
};
