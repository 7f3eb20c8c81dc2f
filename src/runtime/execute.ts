// One step of a rank's program: instructions in order, as the GPU queue and the collectives see them; a
// started collective goes on beside them. Kernels and copies collect in a batch; whatever the host must see
// or write ends it.

import { runCollective } from "../collectives/collective.ts";
import type { Communicator } from "../collectives/transport/communicator.ts";
import type { CollectiveContext } from "../collectives/context.ts";
import { createUploads } from "../collectives/uploads.ts";
import { EnvironmentError } from "../environment_error.ts";
import type { LogicalGpu } from "../gpu/logical_gpu.ts";
import { hostMs, type Timestamps } from "../gpu/timestamps.ts";
import { type Instruction, isCollective } from "../program/program.ts";
import type { RankTrace } from "../program/trace.ts";
import { createAhead } from "./ahead.ts";
import { createBatch, type EncodedPass } from "./batch.ts";
import { createEncoding } from "./encoding.ts";
import { createHostWork } from "./host_work.ts";
import type { PreparedProgram, PreparedServedStep } from "./prepare.ts";
import { createSpanRecorder } from "./span_recorder.ts";
import {
  type Activity,
  type Segment,
  findMisplaced,
  spansOf,
  spansWithoutTimestamps,
  type TimedPass,
  wakingMs,
} from "./spans.ts";
import { createTransfers } from "./transfers.ts";

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

/** Sees the rank's buffers after an instruction. What was encoded so far has been submitted. */
export type Inspect = (instruction: Instruction, index: number) => Promise<void>;

export interface StepOptions {
  /** Instructions of other stages are passed over. */
  readonly stage?: string;
  /** Of serving: what the step works on. Instructions of the other phase are passed over. */
  readonly served?: PreparedServedStep;
  /** Instructions to stop at; the step is then no longer worth timing. */
  readonly inspects?: (instruction: Instruction) => boolean;
  readonly inspect?: Inspect;
  /** Called before such an instruction. What was encoded so far has been submitted. */
  readonly before?: Inspect;
  /** Called when the step is over, before its timestamps are read, which awaits the GPU. */
  readonly beforeReading?: () => void;
}

/** Times are ms of `process.hrtime`, the same for all processes of a machine. */
export async function executeStep(
  execution: Execution,
  options: StepOptions = {},
): Promise<RankTrace> {
  const { gpu, prepared, communicator, timestamps, onProgress } = execution;
  const { rank, instructions } = prepared.program;
  const { queue } = gpu.device;
  const hostWork = createHostWork(execution.threadMs);
  const encoding = createEncoding(gpu.device, `rank ${rank}`, timestamps, prepared.region);
  const batch = createBatch(queue, encoding, hostWork);
  const { stage, served, inspects = () => false } = options;
  const skips = ({ origin }: Instruction): boolean =>
    (stage !== undefined && origin.stage !== stage) || origin.serves !== served?.phase;
  const ahead = createAhead(encoding, {
    instructions,
    kernels: prepared.kernels,
    digests: prepared.digests.kernels,
    skips,
    standsAlone: inspects,
  });
  const uploads = createUploads(queue, async (work) => communicator.meanwhile(work));
  const recorder = createSpanRecorder(hostMs);
  const splits: CollectiveContext["splits"] = new Map();
  const expertTokens: Record<string, number[]> = {};
  const droppedTokens: Record<string, number> = {};
  const record: CollectiveContext["record"] = {
    experts(layer, tokens) {
      const before = expertTokens[layer] ?? tokens.map(() => 0);
      expertTokens[layer] = before.map((count, e) => count + (tokens[e] ?? 0));
    },
    dropped(layer, choices) {
      droppedTokens[layer] = (droppedTokens[layer] ?? 0) + choices;
    },
  };
  let current: number | undefined;
  let ran = 0;
  /** Kernels and copies before that one are in the batch, or were. */
  let added = 0;

  const enter = (activity: Activity): void => {
    recorder.enter(activity, current, batch.submittedPasses());
    onProgress(activity, current);
  };
  const drain = async (): Promise<void> => {
    batch.submit();
    if (!batch.isOutstanding()) return;
    enter("drain");
    await communicator.meanwhile(queue.onSubmittedWorkDone());
    batch.awaited();
    enter("host");
    gpu.check();
  };
  /** For one collective. What it does is told to `tell`, if the rank goes on meanwhile. */
  const contextOf = (index: number, tell?: (activity: Activity) => void): CollectiveContext => ({
    isBeside: tell !== undefined,
    rank,
    queue,
    isSoftware: gpu.report.choice.software,
    communicator,
    staging: prepared.staging,
    uploads,
    kernels: prepared.collectives.get(index),
    region: prepared.region,
    encoder: () => batch.encoder(),
    submit: () => batch.submit(),
    enter(activity) {
      (tell ?? enter)(activity);
      if (activity === "upload") batch.wrote();
    },
    check(submission) {
      batch.awaited(submission);
      gpu.check();
    },
    reduce: (kernel) => batch.reduce(kernel, index),
    timedMap: async (map) => hostWork.timed("mapMs", map),
    splits,
    record,
  });
  const transfers = createTransfers((index, activity) => {
    onProgress(activity, index);
    return batch.submittedPasses();
  });
  const isEncoded = ({ op }: Instruction, index: number): boolean =>
    op !== "observe" || prepared.digests.kernels.has(index);
  const run = async (instruction: Instruction, index: number): Promise<void> => {
    if (isCollective(instruction)) return runCollective(contextOf(index), instruction);
    switch (instruction.op) {
      case "observe":
      case "kernel":
      case "copy": {
        if (index < added || !isEncoded(instruction, index)) return;
        const recorded = hostWork.timed("encodeMs", () => ahead.take(index));
        batch.add(recorded);
        added = recorded.last + 1;
        return;
      }
      case "input": {
        // What is encoded already must not see the new input.
        batch.submit();
        const inputs = served?.inputs ?? prepared.inputs;
        const bytes = inputs.get(index) ?? new Uint8Array();
        const { buffer, offset } = prepared.region(instruction.buffer);
        queue.writeBuffer(buffer, offset, bytes);
        batch.wrote();
        return;
      }
      case "start":
        transfers.start(instruction.transfer, index, async (tell) =>
          runCollective(contextOf(index, tell), instruction.transfer),
        );
        return;
      case "done":
        // What follows the start is the GPU's work meanwhile.
        batch.submit();
        enter("wait");
        await transfers.done(instruction.channel);
        enter("host");
        return;
    }
  };

  await communicator.barrier();
  const cpuBefore = process.cpuUsage();
  current = 0;
  enter("host");
  // Whoever has to wait for others first has time now.
  hostWork.timed("encodeMs", () => ahead.record(0));
  for (const [index, instruction] of instructions.entries()) {
    if (skips(instruction)) continue;
    current = index;
    ran += 1;
    enter("host");
    const stops = inspects(instruction);
    if (stops && options.before !== undefined) {
      batch.submit();
      await options.before(instruction, index);
    }
    await run(instruction, index);
    if (!stops) continue;
    await drain();
    await options.inspect?.(instruction, index);
  }
  current = undefined;
  await drain();
  transfers.refuseUnfinished();
  const segments = recorder.finish();
  const cpu = process.cpuUsage(cpuBefore);
  options.beforeReading?.();
  // To await it without giving way would keep a software GPU off the core for about a millisecond.
  const passes = await communicator.meanwhile(timedPasses(segments, batch.passes, timestamps));
  const all = [...segments, ...transfers.segments].toSorted((a, b) => a.startMs - b.startMs);
  return {
    rank,
    startMs: segments[0]?.startMs ?? hostMs(),
    endMs: segments.at(-1)?.endMs ?? hostMs(),
    spans: passes === undefined ? spansWithoutTimestamps(all, batch.passes) : spansOf(all, passes),
    host: { instructions: ran, ...hostWork.items, wakeMs: wakingMs(segments, passes ?? []) },
    cpuMs: (cpu.user + cpu.system) / 1000,
    expertTokens,
    droppedTokens,
  };
}

/** Undefined where the adapter cannot time them. */
async function timedPasses(
  segments: readonly Segment[],
  passes: readonly EncodedPass[],
  timestamps: Timestamps | undefined,
): Promise<TimedPass[] | undefined> {
  if (timestamps === undefined) return undefined;
  const times = await timestamps.read(passes.length);
  const timed = passes.map(({ slot, ...pass }) => ({
    ...pass,
    startMs: times[2 * slot] ?? 0,
    endMs: times[2 * slot + 1] ?? 0,
  }));
  const misplaced = findMisplaced(segments, timed);
  if (misplaced === undefined) return timed;
  // Whatever is measured from such times is wrong, and what lies outside the step would go missing.
  throw new EnvironmentError(
    "missing-feature",
    `the adapter's timestamps are not to be believed: ${misplaced}`,
    "choose another adapter; `shardbench adapters` lists what is there",
  );
}

/** Passes that one step encodes at most. */
export function countPasses({ kernels, collectives }: PreparedProgram): number {
  return [...collectives.values()].reduce((sum, { passes }) => sum + passes, kernels.size);
}
