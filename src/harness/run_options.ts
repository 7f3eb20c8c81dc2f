// What a run can be asked for, and what it says while it is under way.

import type { PlanFile } from "../plan/schema.ts";
import type { SimulatedLink } from "../program/simulate/link_cost.ts";
import type { Exceeded, PhaseTime, ScaledRecord } from "../result/result.ts";
import type { Pinning } from "../runtime/coordinator.ts";
import type { GivenContents } from "../weights/given_source.ts";
import type { CheckMethod } from "./verify.ts";

export interface RunOptions {
  /** Adapter id for every rank. Default: hardware if there is any, else the best software adapter. */
  readonly adapter?: string;
  /** `rank=id` pairs, separated by commas. */
  readonly placement?: string;
  /** Rank i runs on core i only, where the machine has as many (Linux). Default: anywhere. */
  readonly pin?: Pinning;
  /** Emulated between all ranks. Default: messages are as fast as the machine. */
  readonly link?: SimulatedLink;
  /** Steps that are run and not timed. Default: one, and as many as fit into a second. */
  readonly warmup?: number;
  /** How often, with ranks opened anew. Default 1. */
  readonly runs?: number;
  /** Exact number of timed steps of each run. Default: as many as `budgetMs` allows, at least 5. */
  readonly samples?: number;
  /** Of each run. Default 5,000. */
  readonly budgetMs?: number;
  /** Default `auto`: the f64 reference where that takes seconds, else the unsharded run. */
  readonly check?: CheckMethod;
  /** Also, or instead of timing steps, project the step from exclusive timing. */
  readonly project?: "also" | "only";
  /** Of a plan that serves: also time steps of decode at these contexts, in tokens. */
  readonly contexts?: readonly number[];
  /** Stop after the check: no calibration, nothing is timed. */
  readonly numericsOnly?: boolean;
  /**
   * How long variants of kernels may be tried on each adapter, in ms; what was found out earlier is used. False: every
   * kernel takes the variant expected to be fastest. Default 2,000, and false where nothing is timed.
   */
  readonly tune?: number | false;
  /** Measure peaks even where a kept calibration still holds. */
  readonly recalibrate?: boolean;
  /** The plan's file, for its result to keep. Its meaning is the plan that runs. */
  readonly written?: PlanFile;
  /** Of a plan that was made smaller: the full one, whose claims are judged. */
  readonly scaled?: ScaledRecord;
  /** Told what of this machine the plan exceeds, by an estimate, before it runs; not called where there is nothing. */
  readonly onTooLarge?: (exceeded: readonly Exceeded[]) => void;
  readonly onProgress?: (progress: Progress) => void;
  /** Weights and tokens. Default: all are made from the plan's seed. */
  readonly given?: GivenContents;
  /** Ends the run; what was measured until then is kept. */
  readonly signal?: AbortSignal;
}

export interface Progress {
  readonly phase: PhaseTime["phase"];
  readonly done?: number;
  readonly total?: number;
  /** Of the steps timed so far in this run, now and then. */
  readonly medianMs?: number;
  /** Until this run's steps are timed, about. */
  readonly leftMs?: number;
  /** Where there are several, which one, from 1, and how many. */
  readonly run?: number;
  readonly runs?: number;
}
