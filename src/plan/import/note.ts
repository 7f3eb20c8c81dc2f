// What importers have to say about a source, by stable codes, and what they return.

import type { Diagnostic, Position } from "../diagnostic.ts";
import type { PlanFile } from "../schema.ts";
import type { ModelFile } from "../schema_model.ts";

/** Tools whose command lines are read. */
export const commandKinds = [
  "megatron",
  "vllm",
  "sglang",
  "tensorrt-llm",
  "lmdeploy",
  "tgi",
  "nemo",
  "trainer",
] as const;
export type CommandKind = (typeof commandKinds)[number];
/** Tools whose files are read. */
export const fileKinds = [
  "huggingface",
  "params",
  "deepspeed",
  "accelerate",
  "ray",
  "nanotron",
  "torchtitan",
] as const;
export const sourceKinds = [...fileKinds, ...commandKinds] as const;
export type SourceKind = (typeof sourceKinds)[number];

export function isCommandKind(kind: string | undefined): kind is CommandKind {
  return commandKinds.some((each) => each === kind);
}

/** A text to import: the contents of a file, or a command line. */
export interface Source {
  /** As it appears in positions: a file name, `<stdin>` or `<command>`. */
  readonly name: string;
  readonly text: string;
  /** Absent: recognised by what the text looks like. */
  readonly kind?: SourceKind;
  /** Values of shell variables, whatever the text assigns to them. */
  readonly set?: ReadonlyMap<string, string>;
  /** Which of the programs that lay a model out, counted from 1. */
  readonly command?: number;
  /** Take only this part of what the source says. */
  readonly role?: "model" | "layout";
}

/** Degrees and GPUs, as far as a source gives them. */
export interface Layout {
  readonly tensor?: number;
  readonly pipeline?: number;
  readonly data?: number;
  readonly expert?: number;
  /** Ranks that share each sequence. */
  readonly context?: number;
  /** Norms are split over the tensor group; without one it has no effect. */
  readonly sequence?: boolean;
  readonly virtualStages?: number;
  /** Layers of each chunk, where the source gives them instead of the number of chunks. */
  readonly layersPerChunk?: number;
  /** Layers of the first and the last pipeline rank; the others share the rest evenly. */
  readonly firstStageLayers?: number;
  readonly lastStageLayers?: number;
  /** Layers of each chunk, in the order of the model: those of the first chunks of all ranks, of the second, … */
  readonly layersOfChunks?: readonly number[];
  /** Embedding and loss count as a layer each where layers are dealt evenly. */
  readonly embeddingInSplit?: boolean;
  readonly lossInSplit?: boolean;
  /** Layers that pipeline ranks do not divide are dealt out one by one, the last rank sparing. */
  readonly unevenPipeline?: boolean;
  /** All ranks, where the launcher says how many. */
  readonly world?: number;
  /** Training tools form as many replicas as the ranks allow; servers as many as they are told to. */
  readonly dataFromWorld?: boolean;
  /** GPUs that hold slices of the same experts. Absent: the tool's default is the plan's. */
  readonly expertTensor?: number;
  /** Copies of experts that the server places besides. */
  readonly redundantExperts?: number;
  /** Every expert degree that follows from others: vLLM's is tensor × data. */
  readonly expertOverAll?: boolean;
  /** ZeRO stage: what data replicas share out among themselves; 3 is FSDP. */
  readonly zero?: 0 | 1 | 2 | 3;
  /** Copies of what ZeRO shards, each shared by as many data ranks (HSDP). */
  readonly shardCopies?: number;
  /** Data ranks that share one copy, where the source gives them instead of the copies. */
  readonly dataShard?: number;
  /** The vocabulary is padded to a multiple of this, times tensor. */
  readonly padVocabularyTo?: number;
  /** The vocabulary is padded to a multiple of this, whatever tensor is. */
  readonly vocabularyMultiple?: number;
}

export interface ImportedWorkload {
  readonly mode?: "inference" | "training";
  readonly batch?: number;
  /** Samples per replica and step of accumulation. */
  readonly microBatch?: number;
  /** The tool's own, where no source gives a batch: it counts, and is assumed. */
  readonly defaultMicroBatch?: number;
  /** Steps of gradient accumulation. */
  readonly accumulation?: number;
  /** Requests that one replica holds at once. */
  readonly batchPerReplica?: number;
  readonly sequence?: number;
  /** No sample is longer. */
  readonly maxSequence?: number;
  readonly dtype?: "f32" | "f16" | "bf16";
  /** Present where the source is a server, or a client of one. */
  readonly serving?: ImportedServing;
  readonly recompute?: NonNullable<PlanFile["workload"]["recompute"]>;
}

/** As of `workload` in a plan that serves, where the name is the same. */
export interface ImportedServing {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly requests?: number;
  readonly requestsPerSecond?: number;
  /** Requests that a client has under way at once. */
  readonly concurrency?: number;
  readonly cacheDtype?: "f32" | "f16" | "bf16";
  readonly pageTokens?: number;
  readonly maxBatchedTokens?: number;
  /** Prompts are cut; absent: as the tool decides. */
  readonly chunks?: boolean;
  readonly chunkTokens?: number;
  /** Codes of what a plan has no words for, unless it serves. */
  readonly expressed?: readonly string[];
}

/** What one source gives. */
export interface Imported {
  readonly kind: SourceKind;
  readonly source: string;
  /** Name of the model, as the source has it. */
  readonly name?: string;
  /** What kind of model it is, for want of a name. */
  readonly family?: string;
  readonly model?: ModelFile;
  readonly layout: Layout;
  readonly workload: ImportedWorkload;
  readonly optimizations: readonly string[];
  /** Paths of plan values that the source leaves to a default of its tool. */
  readonly assumed: readonly string[];
  /** Where the source says that the model has a feature of that name. */
  readonly featurePosition?: (feature: string) => Position | undefined;
  /** Where the source gives a degree. */
  readonly layoutPosition?: (key: keyof Layout) => Position | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** The plan, where the sources are enough for one, and everything that there is to say about them. */
export interface ImportResult {
  readonly file?: PlanFile;
  /** The plan's text: pretty JSON. */
  readonly text?: string;
  /** Options with which the same sources would give a plan that serves. */
  readonly needs?: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Codes of what is listed. `…-not-expressible` is said by the source and has no place in a plan;
 * `…-not-runnable` has a place in the plan's model, and no layer here does it.
 */
export function importNote(
  severity: Diagnostic["severity"],
  code: string,
  message: string,
  place: { readonly path?: Diagnostic["path"]; readonly position?: Position | undefined } = {},
  hint?: string,
): Diagnostic {
  return {
    code,
    severity,
    path: place.path ?? [],
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(place.position === undefined ? {} : { position: place.position }),
  };
}

/** Where it is said, the plan's count of parameters is not that of the source's model. */
export const modelNotUnderstood = "model-not-understood";

export function otherModel(what: string): string {
  return `${what} changes the model and is not understood: the plan's model, and its count of parameters, are not those of yours`;
}

/** A value for a message: short, whatever it is. */
export function shown(value: unknown): string {
  const text = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? "nothing");
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
