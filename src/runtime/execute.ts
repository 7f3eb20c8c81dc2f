// One step of a rank's program: instructions in order, as the GPU queue and the collectives see them; a
// started collective goes on beside them. Kernels and copies collect in a batch; whatever the host must see
// or write ends it.

import { runCollective } from "../collectives/collective.ts";
import { EnvironmentError } from "../environment_error.ts";
import { hostMs, type Timestamps } from "../gpu/timestamps.ts";
import { type Instruction, isCollective } from "../program/program.ts";
import type { RankTrace } from "../program/trace.ts";
import type { EncodedPass } from "./batch.ts";
import type { PreparedProgram, PreparedServedStep } from "./prepare.ts";
import {
  type Segment,
  findMisplaced,
  spansOf,
  spansWithoutTimestamps,
  type TimedPass,
  wakingMs,
} from "./spans.ts";
import { contextOf, drain, enter, type Execution, openStep, type Step } from "./step.ts";

/** Sees the rank's buffers after an instruction. What was encoded so far has been submitted. */
export type Inspect = (instruction: Instruction, index: number) => Promise<void>;

export interface StepOptions {
  /** Instructions of other stages are passed over. */
  readonly stage?: string;
  /** Of training: from the weights that the step before left. Default: from the first. */
  readonly isContinued?: boolean;
  /** Of a data set: the batch that the step reads; the next step reads the one after it. Absent: always the first. */
  readonly batch?: number;
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
  const { prepared, communicator } = execution;
  const { rank, instructions } = prepared.program;
  const { stage, served, batch, inspects = () => false } = options;
  const skips = ({ origin }: Instruction): boolean =>
    (stage !== undefined && origin.stage !== stage) || origin.serves !== served?.phase;
  const step = openStep(execution, skips, inspects, served?.inputs);
  const { hostWork, ahead, transfers, recorder, tokens } = step;
  let ran = 0;

  await communicator.barrier();
  const cpuBefore = process.cpuUsage();
  step.current = 0;
  enter(step, "host");
  prepared.loader?.begin(batch ?? 0, batch === undefined ? 0 : batch + 1);
  // Whoever has to wait for others first has time now.
  hostWork.timed("encodeMs", () => ahead.record(0));
  for (const [index, instruction] of instructions.entries()) {
    if (skips(instruction)) continue;
    step.current = index;
    ran += 1;
    enter(step, "host");
    await runInspected(step, instruction, index, inspects(instruction) ? options : undefined);
  }
  step.current = undefined;
  await drain(step);
  transfers.refuseUnfinished();
  const segments = recorder.finish();
  const cpu = process.cpuUsage(cpuBefore);
  options.beforeReading?.();
  const encoded = step.batch.passes;
  // To await it without giving way would keep a software GPU off the core for about a millisecond.
  const passes = await communicator.meanwhile(timedPasses(segments, encoded, execution.timestamps));
  const all = [...segments, ...transfers.segments].toSorted((a, b) => a.startMs - b.startMs);
  return {
    rank,
    startMs: segments[0]?.startMs ?? hostMs(),
    endMs: segments.at(-1)?.endMs ?? hostMs(),
    spans: passes === undefined ? spansWithoutTimestamps(all, encoded) : spansOf(all, passes),
    host: { instructions: ran, ...hostWork.items, wakeMs: wakingMs(segments, passes ?? []) },
    cpuMs: (cpu.user + cpu.system) / 1000,
    ...tokens,
  };
}

/** @param inspecting absent where the step does not stop at it */
async function runInspected(
  step: Step,
  instruction: Instruction,
  index: number,
  inspecting: StepOptions | undefined,
): Promise<void> {
  if (inspecting?.before !== undefined) {
    step.batch.submit();
    await inspecting.before(instruction, index);
  }
  await run(step, instruction, index);
  if (inspecting === undefined) return;
  await drain(step);
  await inspecting.inspect?.(instruction, index);
}

async function run(step: Step, instruction: Instruction, index: number): Promise<void> {
  if (isCollective(instruction)) return runCollective(contextOf(step, index), instruction);
  const { batch, transfers, prepared } = step;
  switch (instruction.op) {
    case "observe":
    case "kernel":
    case "copy": {
      const isEncoded = instruction.op !== "observe" || prepared.digests.kernels.has(index);
      if (index < step.added || !isEncoded) return;
      const recorded = step.hostWork.timed("encodeMs", () => step.ahead.take(index));
      batch.add(recorded);
      step.added = recorded.last + 1;
      return;
    }
    case "input": {
      // What is encoded already must not see the new input.
      batch.submit();
      const bytes = await inputBytes(step, index);
      const { buffer, offset } = prepared.region(instruction.buffer);
      step.gpu.device.queue.writeBuffer(buffer, offset, bytes);
      batch.wrote();
      return;
    }
    case "start":
      transfers.start(instruction.transfer, index, async (tell) =>
        runCollective(contextOf(step, index, tell), instruction.transfer),
      );
      return;
    case "done":
      // What follows the start is the GPU's work meanwhile.
      batch.submit();
      enter(step, "wait");
      await transfers.done(instruction.channel);
      enter(step, "host");
      return;
  }
}

/** Read from a data set, or the same in every step. */
async function inputBytes(
  { prepared, communicator, inputs }: Step,
  index: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const loaded = prepared.loader?.take(index);
  if (loaded === undefined) return inputs.get(index) ?? new Uint8Array();
  return loaded instanceof Promise ? communicator.meanwhile(loaded) : loaded;
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
