// What a plan knows of a kind of layer: its form in a file, and its sizes and words.

import type { z } from "zod";
import type { Path } from "../document.ts";
import type { ExpertGroup, Groups, LinearSplit } from "../groups.ts";
import type { PlacementKind } from "../placement.ts";
import type { ParallelFile } from "./parallel.ts";

export interface LayerBase {
  /** Unique within its stage: `<index>.<op>`. */
  readonly name: string;
  readonly groups: Groups;
  /** Who holds its weights, where those are not the GPUs of `groups`, who have the tokens. */
  readonly expertGroups?: readonly ExpertGroup[];
}

/** A layer that works on each token by itself. */
export interface TokenwiseBase extends LayerBase {
  /** Each member of a group has a part of the tokens (sequence parallelism). Absent: all of them. */
  readonly split?: "tokens";
}

/** What the members of a tensor group have of a layer. */
export type Share = "columns" | "rows" | "heads" | "inner" | "tokens" | "copies";

/** How a tensor group of several GPUs holds a layer's result. */
export interface Left {
  readonly placement: PlacementKind;
  /** Where the plan declares no communication of it, the layer makes it whole on every member itself. */
  readonly isCompleted: boolean;
}

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
  readonly leaves: (layer: Kind) => Left;
  /** How its input may lie on its groups, other than whole on every member. */
  readonly takes?: (layer: Kind) => PlacementKind | undefined;
  /** In pictures it is a part of the step of the layer after it, or before. Absent: it is a step itself. */
  readonly goesWith?: (layer: Kind) => "next" | "last" | undefined;
  /** What it reduces to one row: each sample, or everything. Absent: it keeps its rows. */
  readonly aggregates?: (layer: Kind) => "sequence" | "batch";
  /** What it mixes in a transformer block, which begins with the one that mixes tokens. Absent: it may stand outside. */
  readonly mixes?: "tokens" | "channels";
  /** Where a model gives a size of it. Absent: by the same name. */
  readonly inModel?: (field: string) => Path;
  /** What those that follow from a model are called. Absent: by their name in plans. */
  readonly called?: string;
  /** Elements of its largest weights and inner activations on one of a group's `members`, for so many rows. */
  readonly buffers: (layer: Kind, members: number, rows: number) => LayerBuffers;
}

export interface LayerBuffers {
  readonly weights?: readonly number[];
  readonly activations?: readonly number[];
}

/** What members have of a weight [in, out]. */
export const shareOfSplit: Readonly<Record<LinearSplit, Share>> = {
  column: "columns",
  row: "rows",
  replicated: "copies",
};

export const leftBySplit: Readonly<Record<LinearSplit, Left>> = {
  column: { placement: "columns", isCompleted: false },
  row: { placement: "partial", isCompleted: false },
  replicated: { placement: "replicate", isCompleted: false },
};

export function leavesWhole(): Left {
  return leftBySplit.replicated;
}

/** Of a layer whose last weight is split by rows. */
export function leavesSum(): Left {
  return { placement: "partial", isCompleted: true };
}

export function isOnOneGpu({ gpus }: NewPlace): boolean {
  return gpus.length === 1;
}
