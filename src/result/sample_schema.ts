// Of a result file, what was timed: steps, machine load, each instruction alone, and adapters beside each other.

import { z } from "zod";
import type { BubbleSample } from "../measure/bubble.ts";
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
import type { BusyTime, SeparationTest } from "../measure/separation.ts";
import type { Cost, RankCosts } from "../program/simulate/cost.ts";
import type { Measured } from "../program/simulate/simulate.ts";
import type { HostItems } from "../program/trace.ts";
import type { TimedRun } from "./result.ts";
import { count, date, type Keys, ms } from "./schema_keys.ts";

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

export const hostItems = z.object({
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

export const timedRun = z.object({
  load: z.object({ before: load, during: load } satisfies Keys<LoadOfRun>).exactOptional(),
} satisfies Keys<TimedRun>);

export const stepSample = z.object({
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

export const alone = z.object({
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

export const overlapRound = z.object({
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
