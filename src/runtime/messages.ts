// What coordinator and ranks say to each other over the processes' IPC channel.

import type { MailboxPlan } from "../collectives/communicator.ts";
import type { RelayMessage } from "../collectives/relay.ts";
import type { Waiting } from "../collectives/waiting.ts";
import type { AdapterChoice, AdapterReport } from "../gpu/adapter.ts";
import type { Load, Turn } from "../gpu/calibration/occupy.ts";
import type { QuickLook, RateForms } from "../gpu/calibration/kernel_rates.ts";
import type { RecalledCalibration } from "../gpu/calibration/recall.ts";
import type { Observation, RankProgram } from "../program/program.ts";
import type { StepAlone } from "../program/simulate/cost.ts";
import type { Link } from "../program/simulate/link_cost.ts";
import type { RankTrace } from "../program/trace.ts";
import type { TunedCall } from "../tuning/tuned_call.ts";
import type { ErrorRecord } from "./error_record.ts";
import type { ResultDigest } from "./check/digests.ts";
import type { RankCheck } from "./check/rank_check.ts";
import type { CallUse } from "./program_calls.ts";
import type { RankMemory } from "./rank_memory.ts";
import type { Signals } from "./signals.ts";
import type { Activity } from "./spans.ts";

export interface OpenRequest {
  readonly kind: "open";
  readonly program: RankProgram;
  readonly seed: number;
  readonly ranks: number;
  readonly choice: AdapterChoice;
  readonly mailboxes: readonly MailboxPlan[];
  /** Descriptor of the shared file in the rank's process; absent: messages are relayed. */
  readonly sharedFile?: number;
  readonly waiting: Waiting;
  /** Absent: messages are as fast as the machine. */
  readonly link?: Link;
  /** What tuning found out on this adapter. */
  readonly known: readonly TunedCall[];
  readonly heartbeatMs: number;
}

export interface ObserveOptions {
  /** Only the instructions of this stage. Default: all. */
  readonly stage?: string;
  /** Hold every instruction's result against its operands, see `createRankChecker`: `brief` where the whole is judged too. */
  readonly check?: "thorough" | "brief";
  /** Expert choices to follow instead of the ranks' own. */
  readonly routes?: readonly ForcedRoutes[];
}

/** Expert ids [rows of the micro-batch, topK] of one layer. */
export interface ForcedRoutes {
  readonly layer: string;
  readonly microBatch: number;
  readonly ids: Uint32Array<ArrayBuffer>;
}

/**
 * - `recall`: a kept one that still holds, else what kernels are held against is measured
 * - `anew`: that is measured in any case
 * - `keep`: everything is measured, and kept for later runs
 */
export type CalibrationWay = "recall" | "anew" | "keep";

export type Request =
  | OpenRequest
  /** Of all instructions, or of those of one stage; so many times in a row. Default: once. */
  | { readonly kind: "step"; readonly stage?: string; readonly count?: number }
  | ({ readonly kind: "observe" } & ObserveOptions)
  /** A step of all ranks whose messages each keeps, for `exclusive`. */
  | { readonly kind: "record" }
  /** A step of this rank on what it recorded, while no other rank does anything; after the last it forgets that. */
  | { readonly kind: "exclusive"; readonly isLast: boolean }
  /** Between two steps, while no other rank does anything. */
  | { readonly kind: "tune"; readonly budgetMs: number; readonly known: readonly TunedCall[] }
  /** To take the forms that won. */
  | { readonly kind: "adopt"; readonly known: readonly TunedCall[] }
  | { readonly kind: "calibrate"; readonly how: CalibrationWay }
  /** To find out how much work keeps the GPU busy that long, while no other rank does anything. */
  | { readonly kind: "size-load"; readonly targetMs: number }
  /** To do so much. */
  | { readonly kind: "occupy"; readonly load: Load }
  /** To measure peaks again, shortly and by these forms only, while no other rank does anything. */
  | { readonly kind: "look-at-peaks"; readonly forms: RateForms }
  | { readonly kind: "memory" }
  | { readonly kind: "digests" }
  | { readonly kind: "close" };

export type ToRank = Request | RelayMessage;

/** What one `observe` instruction showed. */
export interface ObservedBuffer {
  readonly layer: string;
  readonly microBatch: number;
  readonly observation: Observation;
  /** The whole buffer as it lies in memory. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface RankObservation {
  readonly rank: number;
  readonly observed: readonly ObservedBuffer[];
  /** Present when it was asked for. */
  readonly check?: RankCheck;
}

/** What its results were in all whole steps since it was last observed, that one included. */
export interface RankDigests {
  readonly rank: number;
  readonly steps: number;
  readonly digests: readonly ResultDigest[];
}

/** Where a rank is. */
export interface Position {
  readonly activity: Activity | "idle";
  /** Index into the rank's instructions. */
  readonly instruction?: number;
  /** Grows whenever the rank turns to something else. */
  readonly turns: number;
}

export type Reply =
  | {
      readonly kind: "opened";
      readonly report: AdapterReport;
      readonly allocatedBytes: number;
      readonly peakBytes: number;
      readonly calls: readonly CallUse[];
    }
  /** Times on the machine's axis, not yet on the step's. */
  | {
      readonly kind: "stepped";
      readonly traces: readonly RankTrace[];
      readonly peakBytes: number;
    }
  | { readonly kind: "observed"; readonly observation: RankObservation }
  | { readonly kind: "recorded"; readonly signals: Signals; readonly stepMs: number }
  | ({ readonly kind: "timed-alone" } & StepAlone)
  | { readonly kind: "tuned"; readonly tuned: readonly TunedCall[] }
  | { readonly kind: "adopted"; readonly calls: readonly CallUse[] }
  | { readonly kind: "load-sized"; readonly load: Load }
  | { readonly kind: "occupied"; readonly turn: Turn }
  | { readonly kind: "peaks-seen"; readonly look: QuickLook }
  | { readonly kind: "memory-taken"; readonly memory: RankMemory }
  | { readonly kind: "digested"; readonly digests: RankDigests }
  | ({ readonly kind: "calibrated" } & RecalledCalibration);

export type FromRank =
  | Reply
  | RelayMessage
  /** What is measured so far, of a reply that is still to come. */
  | { readonly kind: "part"; readonly part: RecalledCalibration }
  | { readonly kind: "failed"; readonly error: ErrorRecord; readonly position: Position }
  | ({ readonly kind: "heartbeat" } & Position);

export const activities: readonly Position["activity"][] = [
  "idle",
  "host",
  "readback",
  "move",
  "upload",
  "wait",
  "drain",
];
