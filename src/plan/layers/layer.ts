// What a plan knows of a kind of layer: its form in a file, and its sizes and words.

import type { z } from "zod";
import type { Groups, LinearSplit } from "../groups.ts";
import type { ParallelFile } from "./parallel.ts";

export interface LayerBase {
  /** Unique within its stage: `<index>.<op>`. */
  readonly name: string;
  readonly groups: Groups;
}

/** A layer that works on each token by itself. */
export interface TokenwiseBase extends LayerBase {
  /** Each member of a group has a part of the tokens (sequence parallelism). Absent: all of them. */
  readonly split?: "tokens";
}

/** What the members of a tensor group have of a layer. */
export type Share = "columns" | "rows" | "heads" | "inner" | "tokens" | "copies";

/** Where a layer is written anew. */
export interface NewPlace {
  readonly gpus: readonly number[];
  /** Layers that stood before it and no longer do. */
  readonly before: number;
}

export interface PlanLayer<Kind extends LayerBase, File> {
  /** Of a layer of an explicit stage. */
  readonly schema: z.ZodObject;
  /** Ways to run it on several GPUs. */
  readonly kinds: readonly ParallelFile["kind"][];
  /** With every default filled in. */
  readonly read: (file: File, base: LayerBase) => Kind;
  /** The other way, for one group of GPUs; name and groups are left for the caller to drop. */
  readonly write: (layer: Kind, place: NewPlace) => Readonly<Record<string, unknown>>;
  /** Columns that it demands of its input; undefined for token ids, and where any will do. */
  readonly inputWidth: (layer: Kind) => number | undefined;
  /** Undefined: those of its input. */
  readonly outputWidth: (layer: Kind) => number | undefined;
  /** Its sizes, short enough for a box in a picture. */
  readonly detail: (layer: Kind) => string;
  readonly share: (layer: Kind) => Share;
  /** Elements of its weights and inner activations on one of a group's `members`, for so many rows. */
  readonly buffers: (layer: Kind, members: number, rows: number) => readonly number[];
}

/** What members have of a weight [in, out]. */
export const shareOfSplit: Readonly<Record<LinearSplit, Share>> = {
  column: "columns",
  row: "rows",
  replicated: "copies",
};

export function isOnOneGpu({ gpus }: NewPlace): boolean {
  return gpus.length === 1;
}
