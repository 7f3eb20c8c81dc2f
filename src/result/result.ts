// What a run leaves behind: one record with everything that the figures rest on. It is the result file,
// what the reports print from, and what a later comparison reads.

import type { CheckOutcome } from "./check_outcome.ts";
import type { Estimate } from "../program/estimate.ts";
import type { Ceilings } from "../measure/ceiling.ts";
import type { SimulatedLink } from "../program/simulate/link_cost.ts";
import type { StepTrace } from "../program/trace.ts";
import type { Measured } from "../program/simulate/simulate.ts";
import type { CurvePoint } from "../measure/decode_curve.ts";
import type { ServedRound } from "../measure/serving.ts";
import type { StepSample } from "../measure/sample.ts";
import type { LoadOfRun } from "../measure/machine_load.ts";
import type { Metrics } from "../measure/metrics.ts";
import type { SeparationTest } from "../measure/separation.ts";
import type { OverlapEffect } from "../measure/overlap_effect.ts";
import type { ProjectedWhole } from "../claims/projected_whole.ts";
import type { PlanFile } from "../plan/schema.ts";
import type { Verdict } from "../claims/verdict.ts";

/** 4: samples as columns, times in whole nanoseconds. */
export const SCHEMA_VERSION = 6;

export interface RunResult {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly plan: {
    readonly name: string;
    /** `planHash` of the plan that ran. */
    readonly hash: string;
    /** `workHash` of the plan that ran: figures of equal work can be held against other claims. */
    readonly workHash: string;
  };
  /** The plan that ran, from which it can be shown without its file; absent where only a program was given. */
  readonly written?: PlanFile;
  /** Of what ranks do in which order, see `programHash`; absent in results of earlier versions. */
  readonly programHash?: string;
  /** ISO 8601, when the run began. */
  readonly date: string;
  readonly seed: number;
  readonly versions: Versions;
  /** One entry per rank, in rank order. */
  readonly adapters: readonly RankAdapter[];
  /** Of adapters that look alike; absent where none do, and where nothing was timed. */
  readonly separation?: SeparationTest;
  /** Emulated between all ranks; absent where messages were as fast as the machine. */
  readonly link?: SimulatedLink;
  /** Of an MPI job over several hosts: clocks of two ranks differ by no more than twice that. */
  readonly clockUncertaintyMs?: number;
  /** One entry per opening of the ranks whose steps were timed; empty when the run stopped before. */
  readonly runs: readonly TimedRun[];
  /** What a person should know of the circumstances, in sentences without a full stop. */
  readonly notes: readonly string[];
  /** Absent when the run stopped before its numbers were checked. */
  readonly check?: CheckOutcome;
  /** One entry per adapter that was used; empty when the run stopped before. */
  readonly calibration: readonly AdapterCalibration[];
  /** The variant that every kernel took; empty when the run stopped before. */
  readonly kernels: readonly KernelChoice[];
  /** What the program says before anything runs. */
  readonly estimate: Estimate;
  /** One entry per rank; empty when the run stopped before buffers were allocated. */
  readonly memory: readonly RankMemory[];
  /** Every timed step, warm-up left out. */
  readonly samples: readonly StepSample[];
  /** Of one of `samples`; absent where none was timed, and where there is more of it than a file should hold. */
  readonly trace?: KeptTrace;
  /** Of a plan that serves: every timed round over its requests. `samples` are its decode steps. */
  readonly served?: readonly ServedRound[];
  /** Where it was asked for: decode at some contexts. */
  readonly decodeCurve?: readonly CurvePoint[];
  readonly metrics: Metrics;
  /** Absent where nothing overlaps, and where the GPUs have no memory for the plan without overlap as well. */
  readonly overlapEffect?: OverlapEffect;
  /** Present where it was asked for, and the adapters time kernels one by one. */
  readonly projection?: Projection;
  /** Of the plan; of the full plan where this one was scaled. */
  readonly verdicts: readonly Verdict[];
  /** Present where the plan was made smaller to fit the machine. */
  readonly scaled?: Scaled;
  /** Where the time of the run went, loading the plan left out; absent in results of earlier versions. */
  readonly phases?: readonly PhaseTime[];
  readonly outcome: Outcome;
}

/** A timed step moment by moment: the one whose time is nearest the median. */
export interface KeptTrace extends StepTrace {
  /** As in `StepSample`. */
  readonly run: number;
}

/** What a run does one after the other. */
export const phaseNames = [
  "adapters",
  "ranks",
  "tune",
  "check",
  "calibrate",
  "warm-up",
  "measure",
  "contexts",
  "overlap",
  "project",
  "analyze",
] as const;

export interface PhaseTime {
  readonly phase: (typeof phaseNames)[number];
  /** Of all runs together. */
  readonly ms: number;
}

/** The full plan that a scaled one ran for, and what the run says of it. */
export interface Scaled extends ScaledRecord {
  readonly projected: ProjectedWhole;
}

export interface ScaledRecord {
  /** As it was written. */
  readonly full: PlanFile;
  /** `planHash` and `workHash` of it. */
  readonly hash: string;
  readonly workHash: string;
  /** The plan that ran. */
  readonly ran: PlanFile;
  readonly reductions: readonly ScaleReduction[];
  /** Dimensions that stayed as they are. */
  readonly kept: readonly { readonly dimension: string; readonly size: number }[];
}

/** A limit of the machine, and what a plan would need of it: ranks, bytes or ms, all estimated. */
export interface Exceeded {
  readonly limit: "ranks" | "binding" | "buffer" | "adapter memory" | "host memory" | "time";
  readonly needed: number;
  readonly allowed: number;
}

/** A dimension in which the plan was made smaller. */
export interface ScaleReduction {
  /** `Dimension.name`. */
  readonly dimension: string;
  readonly full: number;
  readonly scaled: number;
  /** What the next larger size would exceed; empty where the size follows from the others. */
  readonly because: readonly Exceeded[];
  /** What a layer lacks by it, in a phrase; absent where layers run as the full plan has them. */
  readonly changesLayers?: string;
}

/** The step as it would be if each rank had an adapter of its own. Every figure is projected. */
export interface Projection extends Pick<
  Metrics,
  "stepMs" | "samplesPerSecond" | "tokensPerSecond" | "busy" | "ranks" | "bubble"
> {
  /** What it was simulated from. */
  readonly from: Measured;
}

/** What a sample's `run` points to. */
export interface TimedRun {
  /** Absent where the system does not tell, as off Linux. */
  readonly load?: LoadOfRun;
}

export interface Versions {
  readonly shardbench: string;
  readonly node: string;
  /** The npm package that brings Dawn. */
  readonly webgpu: string;
  /** Such as `linux 6.1.0 x64`. */
  readonly os: string;
  /** Cores that the process may use, and their name, such as `2 × AMD EPYC 7B13`; absent in results of earlier versions. */
  readonly cpu?: string;
}

/** Who a rank ran on: what the adapter says of itself, without its limits. */
export interface RankAdapter {
  readonly rank: number;
  /** What `--adapter` takes. Ranks with the same id share one adapter. */
  readonly id: string;
  readonly name: string;
  readonly software: boolean;
  readonly loader: "embedded" | "system";
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly driver: string;
  readonly features: readonly string[];
  readonly subgroupSize?: { readonly min: number; readonly max: number };
  /** The one core that the rank's process may use; absent where it may use all. */
  readonly core?: number;
  /** That core does not sleep while nobody works there. */
  readonly keptAwake?: true;
  /** Which machine of an MPI job, counted from 0; absent where all ranks are on one. Each has adapters of its own. */
  readonly machine?: number;
  /** The other ranks on the same adapter, and on others that are not proven to be GPUs of their own. */
  readonly sharedWith: readonly number[];
}

/** What an adapter reaches at best, measured on it while nothing else of the run was under way. */
export interface AdapterCalibration {
  /** `RankAdapter.id`. */
  readonly adapter: string;
  /** ISO 8601, when it was measured. */
  readonly date: string;
  readonly tookMs: number;
  /**
   * Present where it was kept from an earlier run of the same versions, adapter, driver and machine: what a
   * short measurement in this run reached, as shares of it. Within a tenth, else it was measured anew.
   */
  readonly cached?: { readonly f32: number; readonly copy: number };
  /** How much memory was measured with at a time: kernels that move less may find it in caches. */
  readonly streamedBytes: number;
  /** What the adapter cannot do is absent. */
  readonly ceilings: Ceilings;
}

/** A kernel at one shape on one adapter: which shader with which tiling computes it, and why that one. */
export interface KernelChoice {
  /** `RankAdapter.id`. */
  readonly adapter: string;
  readonly kernel: string;
  readonly dtype: string;
  readonly shape: Readonly<Record<string, unknown>>;
  /** The three in a phrase. */
  readonly call: string;
  readonly ranks: readonly number[];
  /** In one step, on all these ranks. */
  readonly uses: number;
  /** Of one use. */
  readonly flops: number;
  /** The shader, and the numbers of its tiling that set it apart. */
  readonly variant: string;
  /** The variant that is selected without tuning. */
  readonly expected: string;
  /**
   * `only`: there is no other. `untuned`: expected to be fastest. `similar`: expected to be fastest, and that
   * was so at a shape of like sizes. `tuned`: the best of those tried in this run. `cached`: of those tried in
   * earlier runs.
   */
  readonly reason: "only" | "untuned" | "similar" | "tuned" | "cached";
  /** How many variants there are to choose from. */
  readonly variants: number;
  readonly tried: readonly VariantTrial[];
}

export type VariantTrial =
  | {
      readonly variant: string;
      /** Of one dispatch; median of rounds in which the variants took turns. */
      readonly ms: number;
      /** How many times as fast as the expected variant, or as the kernel's own where that is excluded. */
      readonly speedup: number;
    }
  /** Never selected, and why. */
  | { readonly variant: string; readonly excluded: string };

export interface RankMemory {
  readonly rank: number;
  /** Bytes of the program's buffers as they were allocated; equals `RankEstimate.memoryBytes`. */
  readonly allocatedBytes: number;
  /** The most that was ever alive on this rank's device, calibration and check included. */
  readonly peakBytes: number;
}

export type Outcome =
  | { readonly state: "complete" }
  | { readonly state: "interrupted" }
  | {
      readonly state: "fault";
      /** `EnvironmentError.code`. */
      readonly code: string;
      readonly message: string;
      readonly hint: string;
    };
