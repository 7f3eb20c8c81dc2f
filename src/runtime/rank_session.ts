// One rank, open on its adapter: what the coordinator's requests become.

import { setImmediate } from "node:timers/promises";
import type { Communicator } from "../collectives/communicator.ts";
import type { Load, Turn } from "../gpu/calibration/occupy.ts";
import type { QuickLook, RateForms } from "../gpu/calibration/kernel_rates.ts";
import type { RecalledCalibration } from "../gpu/calibration/recall.ts";
import type { LogicalGpu } from "../gpu/logical_gpu.ts";
import { openGpu } from "../gpu/open.ts";
import { createReader } from "../gpu/read_back.ts";
import { createTimestamps } from "../gpu/timestamps.ts";
import type { ObserveInstruction } from "../program/program.ts";
import type { Pause, StepAlone } from "../program/simulate/cost.ts";
import type { RankTrace } from "../program/trace.ts";
import { tuneCalls, type TuningOptions } from "../tuning/tune_calls.ts";
import type { TunedCall } from "../tuning/tuned_call.ts";
import { allocateBuffers } from "./allocate.ts";
import { computeAgain } from "./check/compute_again.ts";
import { brief, type Effort, thorough } from "./check/effort.ts";
import { createPoison, type Poison } from "./check/poison.ts";
import { createRankChecker, type RankChecker } from "./check/rank_check.ts";
import { createSpoiler } from "./check/spoil.ts";
import { type CheckView, readAll } from "./check/view.ts";
import { countPasses, type Execution, executeStep, type StepOptions } from "./execute.ts";
import type {
  CalibrationWay,
  ForcedRoutes,
  ObservedBuffer,
  ObserveOptions,
  OpenRequest,
  RankDigests,
  RankObservation,
} from "./messages.ts";
import { createScratch, recordMessages, replayMessages, type Recording } from "./rehearsal.ts";
import type { Signals } from "./signals.ts";
import { prepareProgram } from "./prepare.ts";
import { type CallUse, describeCalls, prepareCalls } from "./program_calls.ts";
import { createThreadClock } from "./thread_clock.ts";

/** Only the instructions of one stage. Default: all. */
type StepRequest = Pick<StepOptions, "stage">;

export interface RankSession {
  readonly gpu: LogicalGpu;
  /** Bytes of the buffers that the program declares. */
  readonly allocatedBytes: number;
  /** With the forms that they were opened with. */
  readonly calls: readonly CallUse[];
  step(options?: StepRequest): Promise<RankTrace>;
  observe(options: ObserveOptions): Promise<RankObservation>;
  digests(): Promise<RankDigests>;
  /** Tries forms of the program's kernels, on what the last step left in their buffers. */
  tune(options: Pick<TuningOptions, "budgetMs" | "known">): Promise<TunedCall[]>;
  /** Takes the forms that won, from the next step on. */
  adopt(known: readonly TunedCall[]): Promise<CallUse[]>;
  /** @param onPart called with what is measured so far of what is to be kept */
  calibrate(
    how: CalibrationWay,
    onPart: (part: RecalledCalibration) => void,
  ): Promise<RecalledCalibration>;
  /** How much work keeps the GPU busy for about that long, and a turn of it. */
  sizeLoad(targetMs: number): Promise<Load>;
  occupy(load: Load): Promise<Turn>;
  /** By these forms only, some tenths of a second. */
  lookAtPeaks(forms: RateForms): Promise<QuickLook>;
  /** A step together with all ranks that keeps its messages; and when they came and went. */
  record(): Promise<{ readonly signals: Signals; readonly stepMs: number }>;
  /** A step of this rank alone, on what it recorded. */
  stepAlone(): Promise<StepAlone>;
  /** Ends what `record` began. */
  forget(): void;
  close(): void;
}

export async function openRankSession(
  { program, seed, choice, known }: OpenRequest,
  communicator: Communicator,
  onProgress: Execution["onProgress"],
  onLost: (reason: string) => void,
): Promise<RankSession> {
  const gpu = await openGpu(choice);
  void gpu.lost.then(onLost);
  const onOpening = (): void => onProgress("drain", undefined);
  onOpening();
  const buffers = await allocateBuffers(gpu, program.rank, program.buffers, seed, onOpening);
  const allocatedBytes = gpu.memory.bytes;
  const prepared = await prepareProgram(gpu, program, seed, buffers, known, onOpening);
  const timestamps = await createTimestamps(gpu, Math.max(1, countPasses(prepared)));
  const spoil = createSpoiler(gpu, program, prepared);
  spoil();
  await gpu.device.queue.onSubmittedWorkDone();
  gpu.check();
  const threadMs = createThreadClock();
  let execution: Execution = {
    gpu,
    prepared,
    communicator,
    timestamps,
    spoil,
    threadMs,
    onProgress,
  };

  let recording: Recording | undefined;
  let scratch = createScratch();

  /** Whole steps since the digests were cleared. */
  let steps = 0;
  const runStep = async (
    options?: StepOptions,
    using: Communicator = communicator,
  ): Promise<RankTrace> => {
    await timestamps?.synchronise();
    const trace = await executeStep({ ...execution, communicator: using }, options);
    if (options?.stage === undefined) steps += 1;
    return trace;
  };
  /** Where the checking step is. */
  let checkedAt: number | undefined;
  const readerOf = (): { read: CheckView["read"]; end: () => void } => {
    const onPiece = (): void => onProgress("readback", checkedAt);
    const reader = createReader(gpu, `rank ${program.rank}`, onPiece);
    return {
      end: () => reader.destroy(),
      async read(id, ranges) {
        const { buffer, offset: start } = prepared.region(id);
        const moved = ranges.map(({ offset, bytes }) => ({ offset: start + offset, bytes }));
        onPiece();
        const bytes = new Uint8Array(await reader.read(buffer, moved));
        onProgress("host", checkedAt);
        return bytes;
      },
    };
  };
  const bytesOf = (id: string): number => prepared.region(id).size;
  const checkerWith = (read: CheckView["read"], effort: Effort, poison: Poison): RankChecker => {
    const view: CheckView = {
      rank: program.rank,
      read,
      effort,
      bytesOf,
      dtypeOf: (id) => prepared.declaration(id).dtype,
      async compute(plain) {
        onProgress("readback", checkedAt);
        const bytes = await computeAgain(gpu, prepared, plain);
        onProgress("host", checkedAt);
        return bytes;
      },
      async pause() {
        // A large check takes the host longer than it may seem to stand still.
        onProgress("host", checkedAt);
        await setImmediate();
      },
      random: Math.random,
    };
    return createRankChecker(program, seed, view, prepared.region, poison);
  };

  const session: RankSession = {
    gpu,
    allocatedBytes,
    calls: describeCalls(gpu, prepared.calls, known),

    step: async (options) => runStep(options),

    async observe({ check, routes = [], stage }) {
      const observed: ObservedBuffer[] = [];
      const { read, end } = readerOf();
      const poison =
        check === undefined ? undefined : await createPoison(gpu, `rank ${program.rank}`);
      const effort = check === "brief" ? brief : thorough;
      const checker = poison && checkerWith(read, effort, poison);
      const show = async (instruction: ObserveInstruction): Promise<void> => {
        const { origin, observation, buffer } = instruction;
        const { layer, microBatch } = origin;
        const bytes = await readAll({ read, bytesOf }, buffer);
        observed.push({ layer, microBatch, observation, bytes });
      };
      try {
        await checker?.begin();
        prepared.digests.clear();
        steps = 0;
        await runStep({
          ...(stage === undefined ? {} : { stage }),
          inspects: (instruction) =>
            instruction.op === "observe" || checker?.stopsAt(instruction) === true,
          async before(instruction, index) {
            checkedAt = index;
            if (instruction.op !== "observe") await checker?.before(instruction);
          },
          async inspect(instruction) {
            if (instruction.op !== "observe") return checker?.after(instruction);
            await show(instruction);
            const ids = forcedIds(instruction, routes);
            if (ids === undefined) return;
            const { buffer, offset } = prepared.region(instruction.buffer);
            gpu.device.queue.writeBuffer(buffer, offset, ids);
          },
        });
        const report = checker?.report();
        return { rank: program.rank, observed, ...(report && { check: report }) };
      } finally {
        end();
        poison?.destroy();
      }
    },

    async digests() {
      return { rank: program.rank, steps, digests: await prepared.digests.read() };
    },

    async calibrate(how, onPart) {
      // Ranks start sooner without it.
      const { calibrateAndKeep, calibrateKernels, recallOrCalibrate } =
        await import("../gpu/calibration/recall.ts");
      if (how === "keep") {
        return calibrateAndKeep(gpu, (calibration) => onPart({ calibration }));
      }
      return how === "recall"
        ? recallOrCalibrate(gpu)
        : { calibration: await calibrateKernels(gpu) };
    },

    async sizeLoad(targetMs) {
      const { sizeLoad } = await import("../gpu/calibration/occupy.ts");
      return sizeLoad(gpu, targetMs);
    },

    async occupy(load) {
      const { occupy } = await import("../gpu/calibration/occupy.ts");
      return occupy(gpu, load);
    },

    async lookAtPeaks(forms) {
      const { lookQuickly } = await import("../gpu/calibration/calibrate.ts");
      return lookQuickly(gpu, forms);
    },

    async tune(options) {
      const onTried = (): void => onProgress("drain", undefined);
      return tuneCalls(gpu, [...prepared.calls.values()], { ...options, onProgress: onTried });
    },

    async adopt(found) {
      const kernels = await prepareCalls(gpu, prepared.calls, found, onOpening);
      execution = { ...execution, prepared: { ...prepared, kernels } };
      return describeCalls(gpu, prepared.calls, found);
    },

    async record() {
      recording = recordMessages(communicator);
      const { startMs, endMs } = await runStep(undefined, recording.communicator);
      return { signals: recording.signals(), stepMs: endMs - startMs };
    },

    async stepAlone() {
      if (recording === undefined) throw new Error("nothing was recorded");
      const pauses: Pause[] = [];
      const onPause = (pause: Pause): unknown => pauses.push(pause);
      const replay = replayMessages(communicator, recording, scratch, onPause);
      return { trace: await runStep({}, replay), pauses };
    },

    forget() {
      recording = undefined;
      scratch = createScratch();
    },

    close() {
      communicator.close();
      gpu.close();
    },
  };
  return {
    ...session,
    observe: async (options) => gpu.uncounted(async () => session.observe(options)),
    tune: async (options) => gpu.uncounted(async () => session.tune(options)),
    calibrate: async (how, onPart) => gpu.uncounted(async () => session.calibrate(how, onPart)),
    sizeLoad: async (targetMs) => gpu.uncounted(async () => session.sizeLoad(targetMs)),
    occupy: async (load) => gpu.uncounted(async () => session.occupy(load)),
    lookAtPeaks: async (forms) => gpu.uncounted(async () => session.lookAtPeaks(forms)),
  };
}

/** This rank's part of the choices that it is to follow. */
const forcedIds = (
  { origin, observation }: ObserveInstruction,
  routes: readonly ForcedRoutes[],
): Uint32Array<ArrayBuffer> | undefined => {
  if (observation.kind !== "routes") return undefined;
  const { rowOffset, rows, topK } = observation;
  return routes
    .find(({ layer, microBatch }) => layer === origin.layer && microBatch === origin.microBatch)
    ?.ids.slice(rowOffset * topK, (rowOffset + rows) * topK);
};
