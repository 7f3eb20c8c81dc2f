// A step while a rank takes it: what its instructions share, and what the rank turns to meanwhile.

import type { CollectiveContext } from "../collectives/context.ts";
import type { Communicator } from "../collectives/transport/communicator.ts";
import { createUploads, type Uploads } from "../collectives/uploads.ts";
import type { LogicalGpu } from "../gpu/logical_gpu.ts";
import { hostMs, type Timestamps } from "../gpu/timestamps.ts";
import type { Instruction } from "../program/program.ts";
import { type Ahead, createAhead } from "./ahead.ts";
import { type Batch, createBatch } from "./batch.ts";
import { createEncoding } from "./encoding.ts";
import { createHostWork, type HostWork } from "./host_work.ts";
import type { PreparedProgram } from "./prepare.ts";
import { createSpanRecorder, type SpanRecorder } from "./span_recorder.ts";
import type { Activity } from "./spans.ts";
import { createTransfers, type Transfers } from "./transfers.ts";

export interface Execution {
  readonly gpu: LogicalGpu;
  readonly prepared: PreparedProgram;
  readonly communicator: Communicator;
  /** Room for every pass of a step; absent where the adapter cannot time them. */
  readonly timestamps: Timestamps | undefined;
  /** CPU time of this thread, ms. */
  readonly threadMs: () => number;
  /** Called whenever the rank turns to something else. */
  readonly onProgress: (activity: Activity, instruction: number | undefined) => void;
}

export interface Step extends Execution {
  readonly hostWork: HostWork;
  readonly batch: Batch;
  readonly ahead: Ahead;
  readonly uploads: Uploads;
  readonly recorder: SpanRecorder;
  readonly transfers: Transfers;
  readonly splits: CollectiveContext["splits"];
  readonly tokens: TokenCounts;
  /** By index of instruction. */
  readonly inputs: PreparedProgram["inputs"];
  /** The instruction that the rank is at. */
  current: number | undefined;
  /** Kernels and copies before that one are in the batch, or were. */
  added: number;
}

/** By layer. */
interface TokenCounts {
  /** Per expert. */
  readonly expertTokens: Record<string, number[]>;
  readonly droppedTokens: Record<string, number>;
}

/** @param inputs Default: those that are the same in every step */
export function openStep(
  execution: Execution,
  skips: (instruction: Instruction) => boolean,
  inspects: (instruction: Instruction) => boolean,
  inputs: PreparedProgram["inputs"] = execution.prepared.inputs,
): Step {
  const { gpu, prepared, communicator, timestamps, onProgress } = execution;
  const { rank, instructions } = prepared.program;
  const { queue } = gpu.device;
  const hostWork = createHostWork(execution.threadMs);
  const encoding = createEncoding(gpu.device, `rank ${rank}`, timestamps, prepared.region);
  const batch = createBatch(queue, encoding, hostWork);
  return {
    ...execution,
    hostWork,
    batch,
    ahead: createAhead(encoding, {
      instructions,
      kernels: prepared.kernels,
      digests: prepared.digests.kernels,
      skips,
      standsAlone: inspects,
    }),
    uploads: createUploads(queue, async (work) => communicator.meanwhile(work)),
    recorder: createSpanRecorder(hostMs),
    transfers: createTransfers((index, activity) => {
      onProgress(activity, index);
      return batch.submittedPasses();
    }),
    splits: new Map(),
    tokens: { expertTokens: {}, droppedTokens: {} },
    inputs,
    current: undefined,
    added: 0,
  };
}

export function enter(step: Step, activity: Activity): void {
  const { recorder, batch, current, onProgress } = step;
  recorder.enter(activity, current, batch.submittedPasses());
  onProgress(activity, current);
}

/** Until the GPU has done all that is encoded. */
export async function drain(step: Step): Promise<void> {
  const { gpu, batch, communicator } = step;
  batch.submit();
  if (!batch.isOutstanding()) return;
  enter(step, "drain");
  await communicator.meanwhile(gpu.device.queue.onSubmittedWorkDone());
  batch.awaited();
  enter(step, "host");
  gpu.check();
}

/** For one collective. @param tell is told what it does, if the rank goes on meanwhile */
export function contextOf(
  step: Step,
  index: number,
  tell?: (activity: Activity) => void,
): CollectiveContext {
  const { gpu, prepared, communicator, batch, hostWork, uploads, splits } = step;
  return {
    isBeside: tell !== undefined,
    rank: prepared.program.rank,
    queue: gpu.device.queue,
    isSoftware: gpu.report.choice.software,
    communicator,
    staging: prepared.staging,
    uploads,
    kernels: prepared.collectives.get(index),
    region: prepared.region,
    encoder: () => batch.encoder(),
    submit: () => batch.submit(),
    enter(activity) {
      if (tell === undefined) enter(step, activity);
      else tell(activity);
      if (activity === "upload") batch.wrote();
    },
    check(submission) {
      batch.awaited(submission);
      gpu.check();
    },
    reduce: (kernel) => batch.reduce(kernel, index),
    timedMap: async (map) => hostWork.timed("mapMs", map),
    splits,
    record: recordIn(step.tokens),
  };
}

function recordIn({ expertTokens, droppedTokens }: TokenCounts): CollectiveContext["record"] {
  return {
    experts(layer, tokens) {
      const before = expertTokens[layer] ?? tokens.map(() => 0);
      expertTokens[layer] = before.map((count, e) => count + (tokens[e] ?? 0));
    },
    dropped(layer, choices) {
      droppedTokens[layer] = (droppedTokens[layer] ?? 0) + choices;
    },
  };
}
