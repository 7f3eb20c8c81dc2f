// One rank, open on its adapter: what the coordinator's requests become.

import { setImmediate } from "node:timers/promises";
import type { Communicator } from "../collectives/transport/communicator.ts";
import type { RecalledCalibration } from "../gpu/calibration/recall.ts";
import type { LogicalGpu } from "../gpu/logical_gpu.ts";
import { awaitGpu } from "../gpu/patience.ts";
import { openGpu } from "../gpu/open.ts";
import { createReader } from "../gpu/read_back.ts";
import { createTimestamps } from "../gpu/timestamps.ts";
import type { ObserveInstruction } from "../program/program.ts";
import type { ServedStep } from "../program/serving/served.ts";
import type { Pause } from "../program/simulate/cost.ts";
import type { RankTrace } from "../program/trace.ts";
import { tuneCalls } from "../tuning/tune_calls.ts";
import { allocateBuffers } from "./allocate.ts";
import { computeAgain } from "./check/compute_again.ts";
import { brief, type Effort, thorough } from "./check/effort.ts";
import { createPoison, type Poison } from "./check/poison.ts";
import { createRankChecker, type RankChecker } from "./check/rank_check.ts";
import { createSpoiler } from "./check/spoil.ts";
import { type CheckView, readAll } from "./check/view.ts";
import { countPasses, type Execution, executeStep, type StepOptions } from "./execute.ts";
import type { ForcedRoutes, ObservedBuffer } from "./observation.ts";
import type { Answers, OpenRequest } from "./protocol.ts";
import { takeMemory } from "./rank_memory.ts";
import { createReplayMemory, recordMessages, replayMessages, type Recording } from "./replay.ts";
import { prepareProgram, prepareServedStep } from "./prepare.ts";
import { type CallUse, describeCalls, prepareCalls } from "./program_calls.ts";
import { createThreadClock } from "./thread_clock.ts";

export interface RankSession {
  readonly gpu: LogicalGpu;
  /** Bytes of the buffers that the program declares. */
  readonly allocatedBytes: number;
  /** With the variants that they were opened with. */
  readonly calls: readonly CallUse[];
  readonly answers: Omit<Answers, "open">;
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
  await gpu.device.queue.onSubmittedWorkDone();
  gpu.check();
  const threadMs = createThreadClock();
  let execution: Execution = {
    gpu,
    prepared,
    communicator,
    timestamps,
    threadMs,
    onProgress,
  };

  let recording: Recording | undefined;
  let scratch = createReplayMemory();

  /** Whole steps since the digests were cleared. */
  let steps = 0;
  let isSpoilt = false;
  const runStep = async (
    options?: StepOptions,
    using: Communicator = communicator,
  ): Promise<RankTrace> => {
    // A single stage writes only a part of it again.
    const isWhole = options?.stage === undefined;
    if (isWhole && !isSpoilt) {
      spoil();
      gpu.device.queue.submit([]);
      await awaitGpu(gpu, gpu.device.queue.onSubmittedWorkDone());
    }
    if (isWhole) isSpoilt = false;
    await timestamps?.synchronise();
    const trace = await executeStep({ ...execution, communicator: using }, options);
    if (isWhole) steps += 1;
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
  const checkerWith = (
    read: CheckView["read"],
    effort: Effort,
    poison: Poison,
    served: ServedStep | undefined,
  ): RankChecker => {
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
    const { instructions } = program;
    const own = instructions.filter(({ origin }) => origin.serves === served?.phase);
    const part = { ...program, instructions: own };
    return createRankChecker(part, seed, view, prepared.region, poison, served);
  };

  const answers: RankSession["answers"] = {
    async step({ count, ...options }) {
      const traces: RankTrace[] = [];
      for (let left = count; left > 0; left--) {
        // The next step's spoiling is awaited with this step's timestamps; what the last leaves stays.
        const isFollowed = left > 1 && options.stage === undefined && timestamps !== undefined;
        const beforeReading = (): void => {
          spoil();
          isSpoilt = true;
        };
        traces.push(await runStep({ ...options, ...(isFollowed ? { beforeReading } : {}) }));
      }
      return { traces, peakBytes: gpu.memory.peakBytes };
    },

    async serve({ steps: wanted }) {
      const traces: RankTrace[] = [];
      for (const step of wanted) {
        traces.push(await runStep({ served: prepareServedStep(prepared, step, seed) }));
      }
      return { traces, peakBytes: gpu.memory.peakBytes };
    },

    async emptyCaches() {
      onOpening();
      const poison = await createPoison(gpu, `rank ${program.rank}`);
      poison.fill(
        program.buffers.flatMap(({ id, role }) => (role === "cache" ? [prepared.region(id)] : [])),
      );
      await awaitGpu(gpu, gpu.device.queue.onSubmittedWorkDone());
      poison.destroy();
      return {};
    },

    async observe({ check, routes = [], stage, served }) {
      const observed: ObservedBuffer[] = [];
      const { read, end } = readerOf();
      const poison =
        check === undefined ? undefined : await createPoison(gpu, `rank ${program.rank}`);
      const effort = check === "brief" ? brief : thorough;
      const checker = poison && checkerWith(read, effort, poison, served);
      const show = async (instruction: ObserveInstruction): Promise<void> => {
        const { origin, observation, buffer } = instruction;
        const { layer, microBatch } = origin;
        const bytes = await readAll({ read, bytesOf }, buffer);
        observed.push({ layer, microBatch, observation, bytes });
      };
      try {
        await checker?.begin();
        if (served === undefined) {
          prepared.digests.clear();
          steps = 0;
        }
        await runStep({
          ...(stage === undefined ? {} : { stage }),
          ...(served === undefined ? {} : { served: prepareServedStep(prepared, served, seed) }),
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

    memory: async () => takeMemory(gpu.memory.bytes),

    async calibrate({ how }, onPart) {
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

    async sizeLoad({ targetMs }) {
      const { sizeLoad } = await import("../gpu/calibration/occupy.ts");
      return sizeLoad(gpu, targetMs);
    },

    async occupy({ load }) {
      const { occupyGpu } = await import("../gpu/calibration/occupy.ts");
      return occupyGpu(gpu, load);
    },

    async lookAtPeaks({ variants }) {
      const { lookQuickly } = await import("../gpu/calibration/calibrate.ts");
      return lookQuickly(gpu, variants);
    },

    async tune({ phase, ...options }) {
      const onTried = (): void => onProgress("drain", undefined);
      const calls = [...prepared.calls].flatMap(([index, call]) =>
        program.instructions[index]?.origin.serves === phase ? [call] : [],
      );
      return tuneCalls(gpu, calls, { ...options, onProgress: onTried });
    },

    async adopt({ known: found }) {
      const kernels = await prepareCalls(gpu, prepared.calls, found, onOpening);
      execution = { ...execution, prepared: { ...prepared, kernels } };
      return describeCalls(gpu, prepared.calls, found);
    },

    async record() {
      recording = recordMessages(communicator);
      const { startMs, endMs } = await runStep(undefined, recording.communicator);
      return { signals: recording.signals(), stepMs: endMs - startMs };
    },

    async exclusive({ isLast }) {
      if (recording === undefined) throw new Error("nothing was recorded");
      const pauses: Pause[] = [];
      const onPause = (pause: Pause): unknown => pauses.push(pause);
      const replay = replayMessages(communicator, recording, scratch, onPause);
      const trace = await runStep({}, replay);
      if (isLast) {
        recording = undefined;
        scratch = createReplayMemory();
      }
      return { trace, pauses };
    },
  };
  type Work<Asked, Found> = (
    asked: Asked,
    onPart: (part: RecalledCalibration) => void,
  ) => Promise<Found>;
  /** Its memory is not the program's. */
  const uncounted =
    <Asked, Found>(work: Work<Asked, Found>): Work<Asked, Found> =>
    async (asked, onPart) =>
      gpu.uncounted(async () => work(asked, onPart));
  /** Outside of any step: the GPU may be at work for long. */
  const between = <Asked, Found>(work: Work<Asked, Found>): Work<Asked, Found> =>
    uncounted(async (asked, onPart) => {
      onOpening();
      return work(asked, onPart);
    });
  return {
    gpu,
    allocatedBytes,
    calls: describeCalls(gpu, prepared.calls, known),
    answers: {
      ...answers,
      emptyCaches: uncounted(answers.emptyCaches),
      observe: uncounted(answers.observe),
      tune: between(answers.tune),
      calibrate: between(answers.calibrate),
      sizeLoad: between(answers.sizeLoad),
      occupy: between(answers.occupy),
      lookAtPeaks: between(answers.lookAtPeaks),
    },
    close() {
      communicator.close();
      gpu.close();
    },
  };
}

/** This rank's part of the choices that it is to follow. */
function forcedIds(
  { origin, observation }: ObserveInstruction,
  routes: readonly ForcedRoutes[],
): Uint32Array<ArrayBuffer> | undefined {
  if (observation.kind !== "routes") return undefined;
  const { rowOffset, rows, topK } = observation;
  return routes
    .find(({ layer, microBatch }) => layer === origin.layer && microBatch === origin.microBatch)
    ?.ids.slice(rowOffset * topK, (rowOffset + rows) * topK);
}
