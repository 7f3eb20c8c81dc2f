// What a kernel is to the rest of the program: a name, its bindings, and pure functions of its shape.
// Nothing here touches a GPU; `gpu/dispatch.ts` turns a kernel and a shape into a dispatch.

import type { DType, StorageType } from "./storage.ts";

/** `storage` follows the plan's dtype; the others are fixed. */
export type BindingElement = "storage" | DType;

export interface Binding {
  readonly name: string;
  /** Its number in the shader; default: its place in the list. */
  readonly slot?: number;
  readonly element: BindingElement;
  readonly access: "read" | "read_write";
  /** Of what is written: what the kernel leaves as it was counts as much. */
  readonly isUpdated?: true;
  /** What the kernel makes of it depends on what it was: a check needs both. */
  readonly isAccumulated?: true;
  /**
   * Invocations meet at barriers, or exchange values, as often as what is read says. WGSL wants that to be the same for all
   * of them, which it takes from read-only memory alone: a dispatch must not write to the buffer that this is in.
   */
  readonly isUniform?: true;
}

export type Grid = readonly [x: number, y: number, z: number];

/** One WGSL compute kernel. */
export interface Kernel<Shape> {
  readonly name: string;
  /** Its source is `shaders/<shader>.wgsl`, which runs on every adapter; default: its name. */
  readonly shader?: string;
  readonly bindings: readonly Binding[] | ((shape: Shape) => readonly Binding[]);
  /** What a shape needs defined before the shader and those of the alternatives: `shaders/<prelude>.wgsl` each. */
  readonly preludes?: (shape: Shape) => readonly string[];
  /** Values of the shader's `override` declarations; how the work is split may depend on the adapter. */
  readonly constants: (shape: Shape, adapter?: AdapterTraits) => Record<string, number>;
  /** Workgroups to dispatch, each dimension within 1 … 65,535. */
  readonly grid: (shape: Shape, adapter?: AdapterTraits) => Grid;
  /** As in `Tiling`. */
  readonly prelude?: (adapter?: AdapterTraits) => string;
  /** Arithmetic operations that the result needs; a multiply-add counts two. */
  readonly flops: (shape: Shape) => number;
  /** Bytes that must cross global memory at least once: each input read once, each output written once. */
  readonly bytes: (shape: Shape, dtype: StorageType) => number;
  /** Other ways to the same result, the better first. Programs and estimates do not see them. */
  readonly alternatives?: readonly AlternativeShader<Shape>[];
}

/** A shader that takes a kernel's place on some adapters at some shapes: same bindings, same result. */
export interface AlternativeShader<Shape> {
  /** Its source is `shaders/<name>.wgsl`. */
  readonly name: string;
  /** Whether it gives right results there, in a time worth trying. The other functions may rely on that. */
  readonly runsOn: (adapter: AdapterTraits, dtype: StorageType, shape: Shape) => boolean;
  /** Whether it is expected to be faster than those that come after it. */
  readonly isPreferred: (shape: Shape, adapter: AdapterTraits) => boolean;
  /** Ways to split the work; the one expected to be fastest comes first, tuning tries them all. */
  readonly tilings: (
    shape: Shape,
    adapter: AdapterTraits,
    dtype: StorageType,
  ) => readonly [Tiling, ...Tiling[]];
}

/** Numbers of a shader for one shape. */
export interface Tiling {
  readonly constants: Record<string, number>;
  readonly grid: Grid;
  /** `shaders/<prelude>.wgsl` stands before the shader: functions that adapters do differently. */
  readonly prelude?: string;
}

/** What the choice between alternatives may depend on. */
export interface AdapterTraits {
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  /** Absent without subgroups. */
  readonly subgroupSize?: { readonly min: number; readonly max: number };
  /** Those of floating-point numbers; absent without `chromium-experimental-subgroup-matrix`. */
  readonly subgroupMatrices?: readonly SubgroupMatrix[];
}

/** c[m, n] = a[m, k] · b[k, n] + c that a subgroup computes as one operation. */
export interface SubgroupMatrix {
  /** Of a and b. */
  readonly component: "f16" | "f32";
  /** Of c. */
  readonly result: "f16" | "f32";
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** The bindings of one shape, in the order of a call's buffers. */
export function bindingsOf<Shape>({ bindings }: Kernel<Shape>, shape: Shape): readonly Binding[] {
  return typeof bindings === "function" ? bindings(shape) : bindings;
}

export function read(name: string, element: BindingElement = "storage"): Binding {
  return {
    name,
    element,
    access: "read",
  };
}

export function readUniform(name: string, element: BindingElement): Binding {
  return {
    ...read(name, element),
    isUniform: true,
  };
}

export function write(name: string, element: BindingElement = "storage"): Binding {
  return {
    name,
    element,
    access: "read_write",
  };
}

/** Some of it is written, and all else kept. */
export function update(name: string, element: BindingElement = "storage"): Binding {
  return {
    ...write(name, element),
    isUpdated: true,
  };
}

/** f32 that is added to or otherwise changed in place. */
export function accumulate(name: string): Binding {
  return {
    ...update(name, "f32"),
    isAccumulated: true,
  };
}
