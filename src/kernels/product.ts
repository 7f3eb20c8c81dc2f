// What matrix products have in common, whether their rows are known beforehand or grouped by expert: operands,
// what finishes the result, and the preludes that say so to a shader.

import { type Activation, activationPrelude } from "./activation.ts";
import {
  accumulate,
  type AdapterTraits,
  type Binding,
  type Grid,
  read,
  readUniform,
  type Tiling,
  type AlternativeShader,
  write,
} from "./kernel.ts";
import { bytesPerElement, ceilDiv, paddedElements, rowQuads, type StorageType } from "./storage.ts";

/** y = activation(scale · product + bias) · gate · sigmoid(row gate) + residual, where those that are absent are left out. */
export interface Finish {
  readonly activation: Activation;
  /** Of `softcap`. */
  readonly cap?: number;
  /** Default: 1. */
  readonly scale?: number;
  /** Binding `bias` [parts, n]. */
  readonly bias?: true;
  /** Binding `gate` [rows, n]; behind `clamped-silu` clamped to ±7, and one more. */
  readonly gate?: true;
  /** Binding `row_gate` [rows, 1]. */
  readonly rowGate?: true;
  /** Binding `residual` [rows, n]. */
  readonly residual?: true;
  /**
   * Of y: f32 whatever is stored, as gradients of weights are, and written over or added to. Default: what is stored,
   * written over.
   */
  readonly result?: "f32" | "f32-sum";
  /**
   * Columns of the tensor that y is a block of, from whose row to the next it is from y's; so are bias, gate and residual.
   * Default: n.
   */
  readonly pitch?: number;
}

/** One or more products side by side, of a shape that all of them are expected to have. */
export interface Product {
  /** `grouped-depth`: those of the operands are grouped, and each part adds up over its own. */
  readonly rows: "dense" | "grouped" | "grouped-depth";
  readonly parts: number;
  /** Rows of one part. */
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** The operand that lies transposed. */
  readonly transposed: "none" | "x" | "w";
  readonly finish: Finish;
  /** In which it may be multiplied and added up where that is what is stored and the adapter can; else f32. */
  readonly arithmetic: StorageType;
}

/** A way to compute any product. */
export type ProductShader = AlternativeShader<Product>;

/** Makes an alternative of products one of a kernel that computes them. */
export function alternativeFor<Shape>(productOf: (shape: Shape) => Product) {
  return ({ name, runsOn, isPreferred, tilings }: ProductShader): AlternativeShader<Shape> => ({
    name,
    runsOn: (adapter, dtype, shape) => runsOn(adapter, dtype, productOf(shape)),
    isPreferred: (shape, adapter) => isPreferred(productOf(shape), adapter),
    tilings: (shape, adapter, dtype) => tilings(productOf(shape), adapter, dtype),
  });
}

/** Each has its place in a shader whether or not others are there. */
export function productBindings({ rows, finish }: Product): Binding[] {
  return [
    { ...read("x"), slot: 0 },
    { ...read("w"), slot: 1 },
    ...(rows === "dense" ? [] : [{ ...readUniform("offsets", "u32"), slot: 3 }]),
    ...(finish.bias ? [{ ...read("bias"), slot: 4 }] : []),
    ...(finish.gate ? [{ ...read("gate"), slot: 5 }] : []),
    ...(finish.rowGate ? [{ ...read("row_gate"), slot: 7 }] : []),
    ...(finish.residual ? [{ ...read("residual"), slot: 6 }] : []),
    { ...resultBinding(finish), slot: 2 },
  ];
}

function resultBinding({ result }: Finish): Binding {
  if (result === undefined) return write("y");
  return result === "f32" ? write("y", "f32") : accumulate("y");
}

const operands = { none: "plain", x: "x_transposed", w: "w_transposed" } as const;

export function productPreludes({ rows, transposed, finish }: Product): string[] {
  const grouped = rows === "grouped-depth" ? "_grouped" : "";
  return [
    `rows/${rows.replace("-", "_")}`,
    `operands/${operands[transposed]}${grouped}`,
    `epilogue/${finish.bias ? "" : "no_"}bias`,
    `epilogue/${gatePrelude(finish)}`,
    `epilogue/${finish.rowGate ? "" : "no_"}row_gate`,
    `epilogue/${finish.residual ? "" : "no_"}residual`,
    activationPrelude(finish.activation),
    "epilogue/finish",
    `results/${(finish.result ?? "stored").replace("-", "_")}`,
  ];
}

function gatePrelude({ gate, activation }: Finish): string {
  if (gate !== true) return "no_gate";
  return activation === "clamped-silu" ? "clamped_gate" : "gate";
}

/** A sum with what is there already counts as it does by itself, so that a model has as many wherever it is made. */
export function productFlops(rows: number, { n, k, finish }: Product): number {
  const sums = (finish.residual ? 1 : 0) + (finish.result === "f32-sum" ? 1 : 0);
  return 2 * rows * n * k + sums * rows * n;
}

/**
 * Blocks of the columns of one product read x and the row gate once for all of them.
 *
 * @param rows of all parts together
 */
export function productBytes(
  rows: number,
  { parts, n, k, transposed, finish }: Product,
  dtype: StorageType,
): number {
  const x = transposed === "x" ? parts * paddedElements(k, rows / parts) : paddedElements(rows, k);
  const w = parts * (transposed === "w" ? paddedElements(n, k) : paddedElements(k, n));
  const y = finish.result === undefined ? bytesPerElement(dtype) : finish.result === "f32" ? 4 : 8;
  const tables = (finish.gate ? 1 : 0) + (finish.residual ? 1 : 0);
  const bias = finish.bias ? paddedElements(parts, n) : 0;
  const rowGate = finish.rowGate ? paddedElements(rows, 1) : 0;
  const share = n / (finish.pitch ?? n);
  const table = paddedElements(rows, n);
  return (share * (x + rowGate) + w + tables * table + bias) * bytesPerElement(dtype) + y * table;
}

/** How one alternative splits a product. */
export interface ProductTile {
  /** Rows of a workgroup. */
  readonly rows: number;
  /** Quads of a workgroup. */
  readonly quads: number;
  /** Numbers of the shader that are its own. */
  readonly constants: Record<string, number>;
}

/** Workgroups for twice the rows of a balanced expert: busy ones are spread, and those without rows end at once. */
const spare = { dense: 1, grouped: 2, "grouped-depth": 1 } as const;

export function productTiling(
  { rows, parts, m, n, k, finish }: Product,
  tile: ProductTile,
  arithmetic: StorageType = "f32",
): Tiling {
  const rowGroups = ceilDiv(m * spare[rows], tile.rows);
  const columnGroups = ceilDiv(rowQuads(n), tile.quads);
  return {
    constants: {
      ...(rows === "grouped" ? {} : { M: m }),
      N: n,
      K: k,
      SCALE: finish.scale ?? 1,
      ...(finish.cap === undefined ? {} : { CAP: finish.cap }),
      ...(finish.pitch === undefined ? {} : { Y_QUADS: rowQuads(finish.pitch) }),
      ...tile.constants,
    },
    grid: [atLeastOne(Math.min(rowGroups, 65_535)), atLeastOne(columnGroups), parts] satisfies Grid,
    prelude: arithmeticPrelude(arithmetic),
  };
}

export function arithmeticPrelude(arithmetic: StorageType): string {
  return `arithmetic/${arithmetic}`;
}

/** What a product is computed in on an adapter. */
export function arithmeticOn(
  { arithmetic }: Product,
  { features }: AdapterTraits,
  dtype: StorageType,
): StorageType {
  return arithmetic === "f16" && dtype === "f16" && features.includes("shader-f16") ? "f16" : "f32";
}

function atLeastOne(count: number): number {
  return Math.max(1, count);
}

export function nextPowerOfTwo(n: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, n)));
}
