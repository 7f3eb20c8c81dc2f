// The program: what every rank does, in order. Estimate, execute, simulate and describe all read this.

import type { KernelCall } from "../kernels/catalog.ts";
import type { DType, StorageType } from "../kernels/storage.ts";
import type { ServingPhase } from "../plan/plan.ts";
import type { Content } from "./content.ts";
import type { Observation } from "./observation.ts";
import type { AlgorithmName } from "./exchange/all_reduce/algorithms.ts";
import type { RowOrder } from "./row_order.ts";
import type { Schedule } from "./schedule/schedule.ts";
import type { PhaseShape } from "./serving/phase_shape.ts";
import type { ServedContent } from "./serving/served.ts";
import type { TokenSource } from "./token_source.ts";

export type BufferRole =
  | "weight"
  /** Numbers that follow from the plan alone, such as a table of rotations: no parameters. */
  | "constant"
  | "input"
  | "activation"
  /** Keys and values of requests, which stay from step to step. */
  | "cache"
  /** Sums of gradients of weights, f32, over the micro-batches of a step. */
  | "gradient"
  /** What the optimizer keeps from step to step: moments, weights in f32, its counters. */
  | "optimizer"
  /** Pieces of a collective side by side, before they are reduced or woven together. */
  | "workspace"
  /** Mappable memory through which collectives leave the GPU, whichever comes next. */
  | "staging";

export interface BufferDeclaration {
  /** Unique within its rank. */
  readonly id: string;
  readonly role: BufferRole;
  readonly dtype: DType;
  /** Logical shape; the last dimension is padded to quads in memory unless dtype is u32. */
  readonly shape: readonly number[];
  readonly bytes: number;
  /** Absent: zeros. */
  readonly content?: Content;
  /** A window into another buffer of the rank, from this byte on: it has no memory of its own. */
  readonly within?: { readonly buffer: string; readonly offset: number };
  /** Whose columns it is, and bytes there from one row to the next. */
  readonly columnsOf?: { readonly id: string; readonly pitch: number };
}

/** Where an instruction comes from. */
export interface Origin {
  readonly stage: string;
  /** `<stage>/<index>.<op>`, the same on all ranks. */
  readonly layer: string;
  readonly microBatch: number;
  /** An update comes once a step, after all micro-batches. */
  readonly phase: "forward" | "backward" | "update";
  /** Of serving: the steps that it belongs to. */
  readonly serves?: ServingPhase;
  /** It takes the place of work that no layer does yet: its time counts, its FLOPs are nobody's progress. */
  readonly synthetic?: true;
  /** It was done in the forward pass before: hardware FLOPs, and none of the model's. */
  readonly isRecomputed?: true;
}

/** Whether it does what the model asks for, and that for the first time. */
export function isForward({ origin }: Pick<Instruction, "origin">): boolean {
  return origin.phase === "forward";
}

/** Whether it comes beside what the step has to do: synthetic, or done before. */
export function isBesides({ origin }: Pick<Instruction, "origin">): boolean {
  return origin.synthetic === true || origin.isRecomputed === true;
}

/** Where an op comes from, whatever the micro-batch. */
export type OpOrigin = Omit<Origin, "microBatch">;

/** Host writes this micro-batch's share of the input into `buffer`. */
export interface InputInstruction {
  readonly op: "input";
  readonly origin: Origin;
  readonly buffer: string;
  readonly content: Content | ServedContent;
  /** A thread of the rank has read it from the data set by then. */
  readonly isReadAhead?: true;
}

export type KernelInstruction = {
  readonly op: "kernel";
  readonly origin: Origin;
  readonly dtype: StorageType;
  /** One buffer id per binding of the kernel, in its order. */
  readonly buffers: readonly string[];
} & KernelCall;

/** Copy between two buffers of the same rank; offsets and length are multiples of 4 bytes. */
export interface CopyInstruction {
  readonly op: "copy";
  readonly origin: Origin;
  readonly source: string;
  readonly sourceOffset: number;
  readonly target: string;
  readonly targetOffset: number;
  readonly bytes: number;
  /** Where both are parts of one buffer: another, in which chunks of the copy lie in between. */
  readonly through?: string;
}

interface Transfer {
  readonly origin: Origin;
  /** The plan's name for it, or one derived from the layer. */
  readonly name: string;
  /** The same on all ranks that take part, and for the same transfer of every micro-batch. */
  readonly channel: number;
  readonly dtype: StorageType;
  /** Ranks that contribute, in order. */
  readonly from: readonly number[];
  /** Ranks that receive, in order. May share members with `from`, or none. */
  readonly to: readonly number[];
  /** Present on members of `from`. */
  readonly send?: string;
  /** Present on members of `to`. */
  readonly receive?: string;
  /** Present where something is summed or moved within words, see `workspaceOf`. */
  readonly workspace?: string;
  /** Where a piece stays on the rank within one buffer: another, in which chunks of it lie in between. */
  readonly through?: string;
  /**
   * On all ranks alike: where one piece is a part of another, members of both sides have it where it
   * belongs in the whole, as one buffer that they both send from and receive in.
   */
  readonly inPlace?: boolean;
}

/** `receive` = the pieces of `from`, one after the other in that order; to gather is to do so on one rank. */
export interface AllGather extends Transfer {
  readonly op: "all-gather" | "gather";
  /** Elements contributed by each member of `from`. */
  readonly counts: readonly number[];
}

/** `receive` = element-wise sum over `from`, the same on every member of `to`; to reduce is to do so on one. */
export interface AllReduce extends Transfer {
  readonly op: "all-reduce" | "reduce";
  readonly count: number;
  /** Absent: by size, see `algorithmOf`. */
  readonly algorithm?: AlgorithmName;
}

/** Element-wise sum over `from`; member j of `to` receives `counts[j]` elements of it, in order. */
export interface ReduceScatter extends Transfer {
  readonly op: "reduce-scatter";
  readonly counts: readonly number[];
}

/** `from` has one member; member j of `to` receives its next `counts[j]` elements. */
export interface Scatter extends Transfer {
  readonly op: "scatter";
  readonly counts: readonly number[];
}

/** `counts[i][j]` elements go from member i of `from` to member j of `to`; pieces lie in member order. */
export interface AllToAll extends Transfer {
  readonly op: "all-to-all";
  readonly counts: readonly (readonly number[])[];
}

/** `from` has one member; every member of `to` receives its `count` elements. */
export interface Broadcast extends Transfer {
  readonly op: "broadcast";
  readonly count: number;
}

/** `from` and `to` have one member each. */
export interface PointToPoint extends Transfer {
  readonly op: "send" | "recv";
  readonly count: number;
}

interface ExpertTransfer extends Transfer {
  /** Rows that all sources send together, before any is dropped. */
  readonly rows: number;
  /** Elements of one token's row, padding included. */
  readonly rowElements: number;
  /** Number of experts on each member of `to` of the dispatch; contiguous blocks in that order. */
  readonly expertsPerRank: readonly number[];
  /** Rows that one expert accepts from all sources together; absent: dropless. */
  readonly capacity?: number;
}

/**
 * Uneven all-to-all whose sizes the router decides. Each source holds its rows sorted by expert and the
 * number per expert; each expert rank receives its experts' rows grouped by expert, within an expert in
 * source order.
 */
export interface ExpertDispatch extends ExpertTransfer {
  readonly op: "expert-dispatch";
  /** u32 [experts], rows per expert of this source; on members of `from`. */
  readonly counts?: string;
  /** u32 [experts], rows per expert that were not dropped; written on members of `from`. */
  readonly kept?: string;
  /** u32 [own experts + 1], first row of each expert in `receive`; written on members of `to`. */
  readonly offsets?: string;
}

/** The way back, with the splits of the dispatch on channel `dispatch`. */
export interface ExpertCombine extends ExpertTransfer {
  readonly op: "expert-combine";
  readonly dispatch: number;
}

/** Begins a collective; the rank goes on with what follows. Its buffers are the collective's until it is done. */
export interface StartInstruction {
  readonly op: "start";
  readonly origin: Origin;
  readonly transfer: Collective;
  /** Which part of one transfer it carries: 0, 1, … */
  readonly block: number;
}

/** Waits until this rank's part of the collective that was started on that channel is over. */
export interface DoneInstruction {
  readonly op: "done";
  readonly origin: Origin;
  /** Of the collective. */
  readonly name: string;
  readonly channel: number;
}

/** Shows a buffer to the check; does nothing in a timed step. */
export interface ObserveInstruction {
  readonly op: "observe";
  readonly origin: Origin;
  readonly buffer: string;
  readonly observation: Observation;
}

export type Collective =
  | AllGather
  | AllReduce
  | ReduceScatter
  | Scatter
  | AllToAll
  | Broadcast
  | PointToPoint
  | ExpertDispatch
  | ExpertCombine;

export type Instruction =
  | InputInstruction
  | KernelInstruction
  | CopyInstruction
  | ObserveInstruction
  | StartInstruction
  | DoneInstruction
  | Collective;

export interface RankProgram {
  readonly rank: number;
  readonly buffers: readonly BufferDeclaration[];
  readonly instructions: readonly Instruction[];
}

export interface Program {
  readonly name: string;
  readonly dtype: StorageType;
  /** Seed of weights and inputs. */
  readonly seed: number;
  /** Where token ids are read from; absent where they are hashes. */
  readonly data?: TokenSource;
  readonly ranks: readonly RankProgram[];
  /** Samples and tokens of one step. */
  readonly batch: number;
  readonly tokens: number;
  readonly microBatches: number;
  /** Layers in order of execution, as in `Origin.layer`. */
  readonly layers: readonly string[];
  /** Layers of each transformer block, see `blocksOf`; absent where there is none. */
  readonly blocks?: readonly (readonly string[])[];
  /** Of rows of the result and of what routers choose; absent where they are those of samples one after the other. */
  readonly rowOrder?: RowOrder;
  /** Present where the plan's stages are a pipeline. */
  readonly schedule?: Schedule;
  /** Result of one micro-batch. */
  readonly output: { readonly rows: number; readonly columns: number };
  /** Of serving, whose steps are of two kinds: all else here is said of decode steps. */
  readonly phases?: Readonly<Record<ServingPhase, PhaseShape>>;
}

const notCollective = new Set(["kernel", "copy", "input", "observe", "start", "done"]);

/** A collective that is over before the rank goes on. */
export function isCollective(instruction: Instruction): instruction is Collective {
  return !notCollective.has(instruction.op);
}

/** The collective that an instruction runs or begins. */
export function collectiveOf(instruction: Instruction): Collective | undefined {
  if (instruction.op === "start") return instruction.transfer;
  return isCollective(instruction) ? instruction : undefined;
}
