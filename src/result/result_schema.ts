// What a result file must hold for its figures to be derived from it. What is derived is not looked at here:
// whoever reads the file derives it again.

import { z } from "zod";
import type { MeasuredCeiling, MeasuredCeilings } from "../measure/ceiling.ts";
import type { OverlapRound } from "../measure/overlap_effect.ts";
import type { CurvePoint } from "../measure/decode_curve.ts";
import type { ServedRound } from "../measure/serving.ts";
import { planSchema } from "../plan/schema.ts";
import type { SimulatedLink } from "../program/simulate/link_cost.ts";
import type { Measured } from "../program/simulate/simulate.ts";
import type { CheckedKind, CheckOutcome } from "./check_outcome.ts";
import {
  type AdapterCalibration,
  type Exceeded,
  type KernelChoice,
  phaseNames,
  type PhaseTime,
  type RankAdapter,
  type RankMemory,
  type ScaleReduction,
  type RunResult,
  type ScaledRecord,
  type Versions,
} from "./result.ts";
import { keptTrace } from "./trace_schema.ts";
import { alone, overlapRound, separationSchema, stepSample, timedRun } from "./sample_schema.ts";
import { count, date, type Keys, ms, rate } from "./schema_keys.ts";

interface MeasuredCalibration extends Omit<AdapterCalibration, "ceilings"> {
  readonly ceilings: MeasuredCeilings;
}

const servedRound = z.object({
  run: count,
  arrivalMs: z.array(ms),
  tokenMs: z.array(z.array(ms)),
  prefillSteps: count,
  decodeSteps: count,
  wallMs: z.number().positive(),
  pagesUsed: count,
  pages: z.int().positive(),
} satisfies Keys<ServedRound>);

const curvePoint = z.object({
  context: z.int().positive(),
  wallMs: z.array(z.number().positive()).min(1),
  attentionMs: z.array(ms).exactOptional(),
  attentionBytes: z.number().positive(),
} satisfies Keys<CurvePoint>);

export const rankAdapter = z.object({
  rank: count,
  /** As a command takes it, which reports print to be run again. */
  id: z.string().regex(/^\w+$/, "no id of an adapter"),
  name: z.string(),
  software: z.boolean(),
  loader: z.enum(["embedded", "system"]),
  vendor: z.string(),
  architecture: z.string(),
  device: z.string(),
  driver: z.string(),
  features: z.array(z.string()),
  subgroupSize: z.object({ min: count, max: count }).exactOptional(),
  core: count.exactOptional(),
  keptAwake: z.literal(true).exactOptional(),
  machine: count.exactOptional(),
  sharedWith: z.array(count),
} satisfies Keys<RankAdapter>);

/** As it was measured, without the figure. */
const ceiling = z.object({
  variant: z.string(),
  runs: z.array(rate).min(1),
  others: z.record(z.string(), rate),
  before: z.array(rate).min(1).exactOptional(),
  after: z.array(z.array(rate).min(1)).exactOptional(),
} satisfies Keys<MeasuredCeiling>);

export const ceilingsSchema = z.object({
  f32: ceiling.exactOptional(),
  f16: ceiling.exactOptional(),
  matrix: ceiling.exactOptional(),
  read: ceiling.exactOptional(),
  write: ceiling.exactOptional(),
  copy: ceiling.exactOptional(),
  workgroup: ceiling.exactOptional(),
  bufferCopy: ceiling.exactOptional(),
  upload: ceiling.exactOptional(),
  readback: ceiling.exactOptional(),
  dispatch: ceiling.exactOptional(),
  encode: ceiling.exactOptional(),
  submit: ceiling.exactOptional(),
  roundTrip: ceiling.exactOptional(),
} satisfies Keys<MeasuredCeilings>);

const calibration = z.object({
  adapter: z.string(),
  date,
  tookMs: ms,
  cached: z.object({ f32: z.number(), copy: z.number() }).exactOptional(),
  streamedBytes: z.int().positive(),
  ceilings: ceilingsSchema,
} satisfies Keys<MeasuredCalibration>);

const tried = z.union([
  z.object({ variant: z.string(), ms, speedup: z.number() }),
  z.object({ variant: z.string(), excluded: z.string() }),
]);

const kernelChoice = z.object({
  adapter: z.string(),
  kernel: z.string(),
  dtype: z.string(),
  shape: z.record(z.string(), z.unknown()),
  call: z.string(),
  ranks: z.array(count),
  uses: count,
  flops: z.number().nonnegative(),
  variant: z.string(),
  expected: z.string(),
  reason: z.enum(["only", "untuned", "similar", "tuned", "cached"]),
  variants: z.int().positive(),
  tried: z.array(tried),
} satisfies Keys<KernelChoice>);

const checkedKind = z.object({
  kind: z.string(),
  calls: count,
  allCalls: count,
  unit: z.string(),
  checked: count,
  total: count,
  worst: z.number().min(0).max(1),
} satisfies Keys<CheckedKind>);

const checkedTraining = z.object({
  loss: z.number(),
  lossError: z.number().nonnegative(),
  gradientNorm: z.number(),
  error: z.number(),
  weight: z.string(),
  tolerance: z.number(),
  values: count,
});

const check = z.object({
  method: z.enum(["oracle", "unsharded+freivalds"]),
  error: z.number().nonnegative(),
  tolerance: z.number().nonnegative(),
  compared: z.string(),
  values: count,
  routing: z.object({ agreeing: count, total: count }).exactOptional(),
  training: checkedTraining.exactOptional(),
  kinds: z.array(checkedKind),
  notChecked: z.array(z.string()),
  timed: z.object({ steps: count, microBatches: count }).exactOptional(),
} satisfies Keys<CheckOutcome>);

const link = z.object({
  latencyMs: ms,
  bandwidth: rate.exactOptional(),
} satisfies Keys<SimulatedLink>);

const memory = z.object({
  rank: count,
  allocatedBytes: count,
  peakBytes: count,
} satisfies Keys<RankMemory>);

export const versions = z.object({
  shardbench: z.string().min(1),
  node: z.string().min(1),
  webgpu: z.string().min(1),
  os: z.string().min(1),
  cpu: z.string().min(1).exactOptional(),
} satisfies Keys<Versions>);

const exceeded = z.object({
  limit: z.enum(["ranks", "binding", "buffer", "adapter memory", "host memory", "time"]),
  needed: z.number().nonnegative(),
  allowed: z.number().nonnegative(),
} satisfies Keys<Exceeded>);

const reduction = z.object({
  dimension: z.string(),
  full: count,
  scaled: count,
  because: z.array(exceeded),
  changesLayers: z.string().exactOptional(),
} satisfies Keys<ScaleReduction>);

const scaled = z.object({
  full: planSchema,
  hash: z.string(),
  workHash: z.string(),
  ran: planSchema,
  reductions: z.array(reduction).min(1),
  kept: z.array(z.object({ dimension: z.string(), size: count })),
} satisfies Keys<ScaledRecord>);

const outcome = z.union([
  z.object({ state: z.literal("complete") }),
  z.object({ state: z.literal("interrupted") }),
  z.object({
    state: z.literal("fault"),
    code: z.string(),
    message: z.string(),
    hint: z.string(),
  }),
]);

const phaseTime = z.object({ phase: z.enum(phaseNames), ms } satisfies Keys<PhaseTime>);

/** Of each part that is derived, only what it is derived from. */
type Sources = Omit<
  RunResult,
  | "schemaVersion"
  | "estimate"
  | "metrics"
  | "verdicts"
  | "calibration"
  | "overlapEffect"
  | "projection"
  | "scaled"
> & {
  readonly scaled?: ScaledRecord;
  readonly calibration: readonly MeasuredCalibration[];
  readonly overlapEffect?: { readonly rounds: readonly OverlapRound[] };
  readonly projection?: { readonly from: Measured };
};

export const sourcesSchema = z.object({
  plan: z.object({ name: z.string(), hash: z.string(), workHash: z.string() }),
  written: planSchema.exactOptional(),
  programHash: z.string().exactOptional(),
  date,
  seed: z.number(),
  versions,
  adapters: z.array(rankAdapter),
  separation: separationSchema.exactOptional(),
  link: link.exactOptional(),
  clockUncertaintyMs: z.number().positive().exactOptional(),
  notes: z.array(z.string()),
  runs: z.array(timedRun),
  check: check.exactOptional(),
  calibration: z.array(calibration),
  kernels: z.array(kernelChoice),
  memory: z.array(memory),
  samples: z.array(stepSample),
  trace: keptTrace.exactOptional(),
  served: z.array(servedRound).exactOptional(),
  decodeCurve: z.array(curvePoint).exactOptional(),
  overlapEffect: z.object({ rounds: z.array(overlapRound) }).exactOptional(),
  projection: z.object({ from: alone }).exactOptional(),
  scaled: scaled.exactOptional(),
  phases: z.array(phaseTime).exactOptional(),
  outcome,
} satisfies Keys<Sources>);

/** What the figures of a result follow from. */
export type ResultSources = z.infer<typeof sourcesSchema>;
