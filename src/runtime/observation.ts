// What a step shows of a rank's results.

import type { Observation } from "../program/observation.ts";
import type { ServedStep } from "../program/serving/served.ts";
import type { ResultDigest } from "./check/digests.ts";
import type { RankCheck } from "./check/rank_check.ts";

export interface ObserveOptions {
  /** Only the instructions of this stage. Default: all. */
  readonly stage?: string;
  /** Of training: only losses and what the optimizer found are shown. Default: all. */
  readonly only?: "update";
  /** Of training: from the weights that the step before left. Default: from the first. */
  readonly isContinued?: boolean;
  /** Of a data set: the batch that the step reads, from 0, the default. */
  readonly batch?: number;
  /** Of serving: the step. Digests go on from steps before. */
  readonly served?: ServedStep;
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
