// One rank, open on its adapter: its program with everything made ready, and the steps that it takes.

import type { Communicator } from "../collectives/transport/communicator.ts";
import { openGpu } from "../gpu/open.ts";
import { awaitGpu } from "../gpu/patience.ts";
import { createTimestamps } from "../gpu/timestamps.ts";
import type { ContentSource } from "../program/content_source.ts";
import type { RankTrace } from "../program/trace.ts";
import type { TunedCall } from "../tuning/tuned_call.ts";
import { openSource } from "../weights/given_source.ts";
import { allocateBuffers } from "./allocate.ts";
import { createSpoiler } from "./check/spoil.ts";
import { countPasses, executeStep, type StepOptions } from "./execute.ts";
import { prepareProgram } from "./prepare.ts";
import { type CallUse, describeCalls, prepareCalls } from "./program_calls.ts";
import type { OpenRequest } from "./protocol.ts";
import { createState, type State } from "./state.ts";
import type { Execution } from "./step.ts";
import { createThreadClock } from "./thread_clock.ts";

export interface RankSession extends Omit<Execution, "prepared"> {
  readonly prepared: () => Execution["prepared"];
  /** Of what the program declares as given. */
  readonly source: ContentSource;
  /** Bytes of the buffers that the program declares. */
  readonly allocatedBytes: number;
  /** With the variants that they were opened with. */
  readonly calls: readonly CallUse[];
  /** @param using Default: the communicator that the rank was opened with */
  step(options?: StepOptions, using?: Communicator): Promise<RankTrace>;
  /** Steps in a row. */
  steps(count: number, options: StepOptions): Promise<RankTrace[]>;
  /** Whole steps since the digests were cleared. */
  wholeSteps(): number;
  clearDigests(): void;
  /** Sets what steps of training change to what it was at first. */
  restore(): Promise<void>;
  /** Kernels take these variants from the next step on. */
  adopt(known: readonly TunedCall[]): Promise<readonly CallUse[]>;
  /** Called where a GPU may be at work for long outside of any step. */
  readonly onLongWork: () => void;
  close(): void;
}

export async function openRankSession(
  { program, seed, given, choice, known }: OpenRequest,
  communicator: Communicator,
  onProgress: Execution["onProgress"],
  onLost: (reason: string) => void,
): Promise<RankSession> {
  const gpu = await openGpu(choice);
  void gpu.lost.then(onLost);
  const onLongWork = (): void => onProgress("drain", undefined);
  onLongWork();
  const source = openSource(seed, given);
  const buffers = await allocateBuffers(gpu, program.rank, program.buffers, source, onLongWork);
  const allocatedBytes = gpu.memory.bytes;
  let prepared = await prepareProgram(gpu, program, source, buffers, known, onLongWork);
  const timestamps = await createTimestamps(gpu, Math.max(1, countPasses(prepared)));
  const spoil = createSpoiler(gpu, program, prepared);
  const state = await createState(gpu, program, prepared, source, onLongWork);
  await gpu.device.queue.onSubmittedWorkDone();
  gpu.check();
  const around = { gpu, communicator, timestamps, threadMs: createThreadClock(), onProgress };
  const execute = async (options: StepOptions, using: Communicator): Promise<RankTrace> =>
    executeStep({ ...around, prepared, communicator: using }, options);
  const steps = createSteps(around, execute, spoil, state);
  return {
    ...around,
    ...steps,
    prepared: () => prepared,
    source,
    allocatedBytes,
    calls: describeCalls(gpu, prepared.calls, known),
    onLongWork,
    restore: async () => state.restore(),
    clearDigests() {
      prepared.digests.clear();
      steps.countAnew();
    },
    async adopt(found) {
      const kernels = await prepareCalls(gpu, prepared.calls, found, onLongWork);
      prepared = { ...prepared, kernels };
      return describeCalls(gpu, prepared.calls, found);
    },
    close() {
      communicator.close();
      gpu.close();
    },
  };
}

interface Steps extends Pick<RankSession, "step" | "steps" | "wholeSteps"> {
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
  const step: RankSession["step"] = async (options = {}, using = communicator) => {
    // A single stage writes only a part of it again.
    const isWhole = options.stage === undefined;
    if (isWhole) await spoilt();
    if (options.isContinued !== true) await state.restore();
    await timestamps?.synchronise();
    const trace = await execute(options, using);
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
