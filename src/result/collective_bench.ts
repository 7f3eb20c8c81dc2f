// What `shardbench collectives` leaves behind.

import type { Precision } from "../plan/plan.ts";
import type { LinkModel } from "../measure/link_model.ts";
import type { BenchedCollective } from "../program/collective_program.ts";
import type { AlgorithmName } from "../program/exchange/all_reduce/algorithms.ts";
import type { Outcome, RankAdapter, Versions } from "./result.ts";

export interface CollectiveBench {
  readonly op: BenchedCollective;
  readonly dtype: Precision;
  readonly ranks: number;
  /** Absent: by size. */
  readonly algorithm?: AlgorithmName;
  /** ISO 8601. */
  readonly date: string;
  readonly versions: Versions;
  readonly adapters: readonly RankAdapter[];
  /** By its name. */
  readonly transport: string;
  /** Of a bench that broke off, of the sizes before. */
  readonly rows: readonly CollectiveRow[];
  /** Bytes of messages that an adapter does not allow in one buffer. */
  readonly leftOut: readonly number[];
  /** Fitted to the rows out of place, over `wireBytes`. Absent with one rank or one size. */
  readonly link?: LinkModel;
  readonly outcome: Outcome;
}

export interface CollectiveRow {
  /** Of the whole message, as nccl-tests counts it. */
  readonly bytes: number;
  /** Elements of a piece. */
  readonly count: number;
  /** The most that one rank exchanges with one other in one direction. */
  readonly wireBytes: number;
  readonly outOfPlace: CollectivePlaceFigures;
  readonly inPlace?: CollectivePlaceFigures;
}

export interface CollectivePlaceFigures {
  /** Median over samples of a step's wall time ÷ the collectives in it. */
  readonly ms: number;
  readonly samples: number;
  readonly interval?: readonly [low: number, high: number];
  /** Bytes per second. */
  readonly algorithmBandwidth: number;
  /** Absent with one rank. */
  readonly busBandwidth?: number;
  /** Elements over all ranks; absent where the check was switched off. */
  readonly wrong?: number;
  readonly split: TransferSplit;
}

/** ms of one collective, mean over ranks; they sum to its time. */
export interface TransferSplit {
  readonly readbackMs: number;
  readonly moveMs: number;
  readonly reduceMs: number;
  readonly uploadMs: number;
  readonly waitMs: number;
  readonly hostMs: number;
}
