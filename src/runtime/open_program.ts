// A program on an open GPU: its buffers filled, its kernels compiled, and the steps that it takes.

import type { Communicator } from "../collectives/transport/communicator.ts";
import { awaitGpu } from "../gpu/patience.ts";
import { createTimestamps, type Timestamps } from "../gpu/timestamps.ts";
import type { ProgramSource } from "../data/open_source.ts";
import type { RankProgram } from "../program/program.ts";
import type { RankTrace } from "../program/trace.ts";
import type { TunedCall } from "../tuning/tuned_call.ts";
import { allocateBuffers } from "./allocate.ts";
import { refuseOverLimits } from "./buffer_limits.ts";
import { createSpoiler } from "./check/spoil.ts";
import { countPasses, executeStep, type StepOptions } from "./execute.ts";
import { prepareProgram, type PreparedProgram } from "./prepare.ts";
import { type CallUse, describeCalls, prepareCalls } from "./program_calls.ts";
import { createState, type State } from "./state.ts";
import type { ResultDigest } from "./check/digests.ts";
import type { Execution } from "./step.ts";

/** What programs of a rank share. */
export interface ProgramHost extends Omit<Execution, "prepared" | "timestamps"> {
  /** Of what the programs declare as given. */
  readonly source: ProgramSource;
  /** Called where a GPU may be at work for long outside of any step. */
  readonly onLongWork: () => void;
}

export interface OpenProgram {
  readonly prepared: () => PreparedProgram;
  readonly timestamps: Timestamps | undefined;
  /** By id, those that lie in no other. */
  readonly buffers: ReadonlyMap<string, GPUBuffer>;
  /** With the variants that they were opened with. */
  readonly calls: readonly CallUse[];
  /** @param using Default: the communicator that the rank was opened with */
  step(options?: StepOptions, using?: Communicator): Promise<RankTrace>;
  /** Steps in a row. */
  steps(count: number, options: StepOptions): Promise<RankTrace[]>;
  /** Whole steps since the digests were cleared. */
  wholeSteps(): number;
  clearDigests(): void;
  /** Of what the steps of training since then left to the next. */
  readState(): Promise<ResultDigest[]>;
  /** Sets what steps of training change to what it was at first. */
  restore(): Promise<void>;
  /** Kernels take these variants from the next step on. */
  adopt(known: readonly TunedCall[]): Promise<readonly CallUse[]>;
}

/** A program with all that its steps need. */
export interface ProgramSession extends ProgramHost, OpenProgram {}

/** @param held of `allocateBuffers` */
export async function openProgram(
  host: ProgramHost,
  program: RankProgram,
  known: readonly TunedCall[],
  held?: ReadonlyMap<string, GPUBuffer>,
): Promise<OpenProgram> {
  const { gpu, source, onLongWork } = host;
  const { rank, buffers: declared } = program;
  refuseOverLimits(program, gpu.device.limits, gpu.report.choice.id);
  const buffers = await allocateBuffers(gpu, rank, declared, source, onLongWork, held);
  let prepared = await prepareProgram(gpu, program, source, buffers, known, onLongWork);
  const timestamps = await createTimestamps(gpu, Math.max(1, countPasses(prepared)));
  const spoil = createSpoiler(gpu, program, prepared);
  const state = await createState(gpu, program, prepared, source, onLongWork);
  await gpu.device.queue.onSubmittedWorkDone();
  gpu.check();
  const execute = async (options: StepOptions, using: Communicator): Promise<RankTrace> =>
    executeStep({ ...host, timestamps, prepared, communicator: using }, options);
  const steps = createSteps({ ...host, timestamps }, execute, spoil, state);
  return {
    ...steps,
    prepared: () => prepared,
    timestamps,
    buffers,
    calls: describeCalls(gpu, prepared.calls, known),
    restore: async () => state.restore(),
    clearDigests() {
      prepared.digests.clear();
      state.clearDigests();
      steps.countAnew();
    },
    readState: async () => state.readDigests(),
    async adopt(found) {
      const kernels = await prepareCalls(gpu, prepared.calls, found, onLongWork);
      prepared = { ...prepared, kernels };
      return describeCalls(gpu, prepared.calls, found);
    },
  };
}

interface Steps extends Pick<OpenProgram, "step" | "steps" | "wholeSteps"> {
  countAnew(): void;
}

/** @param spoil overwrites what a whole step writes again, so that nothing of the step before is taken for it */
function createSteps(
  { gpu, communicator, timestamps }: Omit<Execution, "prepared">,
  execute: (options: StepOptions, using: Communicator) => Promise<RankTrace>,
  spoil: () => void,
  state: State,
): Steps {
  let whole = 0;
  let isSpoilt = false;
  const spoilt = async (): Promise<void> => {
    if (!isSpoilt) {
      spoil();
      gpu.device.queue.submit([]);
      await awaitGpu(gpu, gpu.device.queue.onSubmittedWorkDone());
    }
    isSpoilt = false;
  };
  const step: OpenProgram["step"] = async (options = {}, using = communicator) => {
    // A single stage writes only a part of it again.
    const isWhole = options.stage === undefined;
    if (isWhole) await spoilt();
    const begins = options.isContinued !== true;
    if (begins) await state.restore();
    await timestamps?.synchronise();
    const beforeReading = (): void => {
      if (isWhole && begins) state.digest();
      options.beforeReading?.();
    };
    const trace = await execute({ ...options, beforeReading }, using);
    if (isWhole) whole += 1;
    return trace;
  };
  return {
    step,
    async steps(count, options) {
      const traces: RankTrace[] = [];
      for (let left = count; left > 0; left--) {
        // The next step's spoiling is awaited with this step's timestamps; what the last leaves stays.
        const isFollowed = left > 1 && options.stage === undefined && timestamps !== undefined;
        const beforeReading = (): void => {
          spoil();
          isSpoilt = true;
        };
        traces.push(await step({ ...options, ...(isFollowed ? { beforeReading } : {}) }));
      }
      return traces;
    },
    wholeSteps: () => whole,
    countAnew() {
      whole = 0;
    },
  };
}
