// What a result file must hold for its figures to be derived from it. What is derived is not looked at here:
// whoever reads the file derives it again.

import { z } from "zod";
import type { MeasuredCeiling, MeasuredCeilings } from "../measure/ceiling.ts";
import type { HiddenCommunication, HiddenIdleTime } from "../measure/hidden_communication.ts";
import type { LoadOfRun, MachineLoad } from "../measure/machine_load.ts";
import type { OverlapRound } from "../measure/overlap_effect.ts";
import type {
  Breakdown,
  CommunicationSample,
  ExpertSample,
  LayerSample,
  RankSample,
  StepSample,
} from "../measure/sample.ts";
import type { ServedPass } from "../measure/serving.ts";
import type { BusyTime, SeparationTest } from "../measure/separation.ts";
import type { BubbleSample } from "../measure/bubble.ts";
import type { Cost, RankCosts } from "../program/simulate/cost.ts";
import type { SimulatedLink } from "../program/simulate/link_cost.ts";
import type { Measured } from "../program/simulate/simulate.ts";
import type { HostItems } from "../program/trace.ts";
import type {
  AdapterCalibration,
  CheckedKind,
  CheckOutcome,
  KernelChoice,
  RankAdapter,
  RankMemory,
  RunResult,
  TimedRun,
  Versions,
} from "./result.ts";

/** Every key of a record has its schema: what a result comes to hold, its file is read with. */
type Keys<Whole> = {
  readonly [Key in keyof Whole]-?: z.ZodType<Exclude<Whole[Key], undefined>>;
};

interface MeasuredCalibration extends Omit<AdapterCalibration, "ceilings"> {
  readonly ceilings: MeasuredCeilings;
}

const count = z.int().nonnegative();
/** Some thirty years. */
const ms = z.number().nonnegative().max(1e12);
/** FLOPs or bytes per second, beyond any machine; ms of costs are far below. */
const rate = z.number().positive().max(1e24);
const date = z.iso.datetime();

const breakdown = {
  computeMs: ms,
  reduceMs: ms,
  uploadMs: ms,
  readbackMs: ms,
  moveMs: ms,
  idleMs: ms,
  hostMs: ms,
  unattributedMs: ms,
} satisfies Keys<Breakdown>;

const hostItems = z.object({
  instructions: count,
  encodeMs: ms,
  submitMs: ms,
  mapMs: ms,
  wakeMs: ms,
} satisfies Keys<HostItems>);

const rankSample = z.object({
  ...breakdown,
  rank: count,
  hostItems: hostItems.exactOptional(),
  busyMs: ms,
  communicatingMs: ms,
  overlappedMs: ms,
} satisfies Keys<RankSample>);

const layerSample = z.object({
  layer: z.string(),
  latencyMs: z.array(ms),
} satisfies Keys<LayerSample>);

const communicationSample = z.object({
  layer: z.string(),
  hiddenMs: ms,
  exposedMs: ms,
} satisfies Keys<CommunicationSample>);

const expertSample = z.object({
  layer: z.string(),
  ranks: z.array(z.object({ rank: count, tokens: z.array(count) })),
  dropped: count,
} satisfies Keys<ExpertSample>);

const bubbleSample = z.object({
  measured: z.number(),
  schedule: z.number(),
  imbalance: z.number(),
  communication: z.number(),
  host: z.number(),
  unexplained: z.number(),
} satisfies Keys<BubbleSample>);

const load = z.object({
  othersShare: z.number().min(0).max(1),
  stolenShare: z.number().min(0).max(1),
} satisfies Keys<MachineLoad>);

const timedRun = z.object({
  load: z.object({ before: load, during: load } satisfies Keys<LoadOfRun>).exactOptional(),
} satisfies Keys<TimedRun>);

const stepSample = z.object({
  run: count,
  step: count,
  provenance: z.literal("measured"),
  wallMs: z.number().positive(),
  ranks: z.array(rankSample),
  layers: z.array(layerSample),
  communication: z.array(communicationSample),
  experts: z.array(expertSample),
  kernelMs: z.array(ms).exactOptional(),
  bubble: bubbleSample.exactOptional(),
} satisfies Keys<StepSample>);

const servedPass = z.object({
  run: count,
  arrivalMs: z.array(ms),
  tokenMs: z.array(z.array(ms)),
  prefillSteps: count,
  decodeSteps: count,
  wallMs: z.number().positive(),
  pagesUsed: count,
  pages: z.int().positive(),
} satisfies Keys<ServedPass>);

const rankAdapter = z.object({
  rank: count,
  id: z.string(),
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

const ceilings = z.object({
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
  ceilings,
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

const check = z.object({
  method: z.enum(["oracle", "unsharded+freivalds"]),
  error: z.number().nonnegative(),
  tolerance: z.number().nonnegative(),
  compared: z.string(),
  values: count,
  routing: z.object({ agreeing: count, total: count }).exactOptional(),
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

const versions = z.object({
  shardbench: z.string().min(1),
  node: z.string().min(1),
  webgpu: z.string().min(1),
  os: z.string().min(1),
} satisfies Keys<Versions>);

const cost = z.object({
  host: z.number(),
  compute: ms,
  readback: z.number(),
  move: z.number(),
  upload: z.number(),
  reduce: ms,
} satisfies Keys<Cost>);

const rankCosts = z.object({
  instructions: z.array(cost),
  rest: cost,
} satisfies Keys<RankCosts>);

const alone = z.object({
  repeats: z.array(z.array(rankCosts)).min(1),
  latencyMs: ms,
} satisfies Keys<Measured>);

const hiddenIdle = z.object({
  idleMs: ms,
  hideableMs: ms,
  hiddenMs: z.number(),
  moreWorkMs: z.number(),
} satisfies Keys<HiddenIdleTime>);

const hidden = z.object({
  communicationMs: ms,
  hideableMs: ms,
  exposedMs: ms,
  hiddenMs: z.number(),
  plainComputeMs: ms,
  computeMs: ms,
  core: hiddenIdle.exactOptional(),
} satisfies Keys<HiddenCommunication>);

const overlapRound = z.object({
  plainStepMs: z.number().positive(),
  stepMs: z.number().positive(),
  overlap: z.number().nonnegative().exactOptional(),
  hidden: hidden.exactOptional(),
} satisfies Keys<OverlapRound>);

export const separationSchema = z.object({
  date,
  adapters: z.array(z.string()),
  alone: z.array(z.array(z.number().positive())),
  together: z.array(
    z.array(
      z.object({
        adapter: z.string(),
        startMs: z.number(),
        endMs: z.number(),
      } satisfies Keys<BusyTime>),
    ),
  ),
} satisfies Keys<SeparationTest>);

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
> & {
  readonly calibration: readonly MeasuredCalibration[];
  readonly overlapEffect?: { readonly rounds: readonly OverlapRound[] };
  readonly projection?: { readonly from: Measured };
};

export const sourcesSchema = z.object({
  plan: z.object({ name: z.string(), hash: z.string(), workHash: z.string() }),
  date,
  seed: z.number(),
  versions,
  adapters: z.array(rankAdapter),
  separation: separationSchema.exactOptional(),
  link: link.exactOptional(),
  notes: z.array(z.string()),
  runs: z.array(timedRun),
  check: check.exactOptional(),
  calibration: z.array(calibration),
  kernels: z.array(kernelChoice),
  memory: z.array(memory),
  samples: z.array(stepSample),
  served: z.array(servedPass).exactOptional(),
  overlapEffect: z.object({ rounds: z.array(overlapRound) }).exactOptional(),
  projection: z.object({ from: alone }).exactOptional(),
  outcome,
} satisfies Keys<Sources>);

/** What the figures of a result follow from. */
export type ResultSources = z.infer<typeof sourcesSchema>;
