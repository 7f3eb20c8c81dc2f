// What a rank does when it is asked: a function for each request of the protocol but the one that opens it.

import type { RecalledCalibration } from "../gpu/calibration/recall.ts";
import { awaitGpu } from "../gpu/patience.ts";
import type { ServedStep } from "../program/serving/served.ts";
import type { RankTrace } from "../program/trace.ts";
import type { Pause } from "../program/simulate/cost.ts";
import { tuneCalls } from "../tuning/tune_calls.ts";
import type { StepOptions } from "./execute.ts";
import { createPoison } from "./check/poison.ts";
import { hashSource } from "../program/hash_source.ts";
import { createFiller } from "./fill.ts";
import { createCandidateReader } from "./candidates.ts";
import { type KeptInputs, keepInputs } from "./keep_inputs.ts";
import type { ObservedBuffer } from "./observation.ts";
import { observe } from "./observe.ts";
import type { ProgramSession } from "./open_program.ts";
import { prepareServedStep } from "./prepare.ts";
import type { Answers, Asked, OnPart } from "./protocol.ts";
import { takeMemory } from "./rank_memory.ts";
import type { RankSession } from "./rank_session.ts";
import { createReplayMemory, type Recording, recordMessages, replayMessages } from "./replay.ts";

export function answersOf(session: RankSession): Omit<Answers, "open"> {
  const { gpu, communicator } = session;
  let recording: Recording | undefined;
  let scratch = createReplayMemory();
  const twins: (ProgramSession | undefined)[] = [];
  const programOf = (twin: number | undefined): ProgramSession => {
    const found = twin === undefined ? session : twins[twin];
    if (found === undefined) throw new Error(`no twin ${twin} was opened`);
    return found;
  };
  /** Its memory is not the program's. */
  const uncounted = async <Found>(work: () => Promise<Found>): Promise<Found> =>
    gpu.uncounted(work);
  /** Outside of any step: the GPU may be at work for long. */
  const between = async <Found>(work: () => Promise<Found>): Promise<Found> =>
    uncounted(async () => {
      session.onLongWork();
      return work();
    });
  return {
    ...steppingAnswers(session, between),

    ...cacheAnswers(session, between),

    async openTwin(asked) {
      session.onLongWork();
      const twin = await session.openTwin(asked);
      twins.push(twin);
      return { opened: twin !== undefined };
    },

    stepTwin: async ({ twin }) => programOf(twin).step(),

    observe: async ({ twin, ...options }) =>
      uncounted(async () => observe(programOf(twin), options)),

    async digests({ twin }) {
      const own = programOf(twin);
      const { program, digests } = own.prepared();
      const shown = [...(await digests.read()), ...(await own.readState())];
      return { rank: program.rank, steps: own.wholeSteps(), digests: shown };
    },

    memory: async () => takeMemory(gpu.memory.bytes),

    ...calibrationAnswers(session, between),

    async record({ served }) {
      recording = recordMessages(communicator);
      const { startMs, endMs } = await session.step(
        servedOptions(session, served),
        recording.communicator,
      );
      return { signals: recording.signals(), stepMs: endMs - startMs };
    },

    async exclusive({ isLast, served }) {
      if (recording === undefined) throw new Error("nothing was recorded");
      const pauses: Pause[] = [];
      const onPause = (pause: Pause): unknown => pauses.push(pause);
      const trace = await session.step(
        servedOptions(session, served),
        replayMessages(communicator, recording, scratch, onPause),
      );
      if (isLast) {
        recording = undefined;
        scratch = createReplayMemory();
      }
      return { trace, pauses };
    },
  };
}

/** @param between does what takes long outside of any step */
function steppingAnswers(
  session: RankSession,
  between: <Found>(work: () => Promise<Found>) => Promise<Found>,
): Pick<Answers, "step" | "serve" | "tune" | "adopt"> {
  const { gpu } = session;
  const readCandidates = createCandidateReader(session);
  let kept: KeptInputs | undefined;
  /** Options of a step. */
  const keeping = (keepsInputs: boolean | undefined, phase?: ServedStep["phase"]): StepOptions => {
    if (keepsInputs !== true) return {};
    kept?.destroy();
    const wanted = session.calls.flatMap(({ call, pending }) => (pending ? [call] : []));
    kept = keepInputs(gpu, session.prepared(), new Set(wanted), phase);
    return kept.options;
  };
  return {
    async step({ count, keepsInputs, ...options }) {
      const traces = await session.steps(count, { ...options, ...keeping(keepsInputs) });
      return { traces, peakBytes: gpu.memory.peakBytes };
    },

    async serve({ steps, keepsInputs }) {
      const traces: RankTrace[] = [];
      const candidates: ObservedBuffer[][] = [];
      for (const step of steps) {
        const shown: ObservedBuffer[] = [];
        const [read, keep] = [readCandidates(shown), keeping(keepsInputs, step.phase)];
        const options: StepOptions = {
          ...servedOptions(session, step),
          ...read,
          ...keep,
          inspects: (each) => read.inspects?.(each) === true || keep.inspects?.(each) === true,
        };
        traces.push(await session.step(options));
        candidates.push(shown);
      }
      return { traces, peakBytes: gpu.memory.peakBytes, candidates };
    },

    tune: async (options) =>
      between(async () =>
        tuneCalls(gpu, kept?.calls() ?? [], { ...options, onProgress: session.onLongWork }),
      ),

    async adopt({ known }) {
      kept?.destroy();
      kept = undefined;
      return session.adopt(known);
    },
  };
}

/** Of a step of serving what it works on; of all others nothing. */
function servedOptions(session: RankSession, step: ServedStep | undefined): StepOptions {
  return step === undefined
    ? {}
    : { served: prepareServedStep(session.prepared(), step, session.source) };
}

/** @param between does what takes long outside of any step */
function calibrationAnswers(
  session: RankSession,
  between: <Found>(work: () => Promise<Found>) => Promise<Found>,
): Pick<Answers, "calibrate" | "sizeLoad" | "occupy" | "lookAtPeaks"> {
  const { gpu } = session;
  return {
    calibrate: async ({ how }, onPart) => between(async () => calibrate(session, how, onPart)),

    sizeLoad: async ({ targetMs }) =>
      between(async () => {
        const { sizeLoad } = await import("../gpu/calibration/occupy.ts");
        return sizeLoad(gpu, targetMs);
      }),

    occupy: async ({ load }) =>
      between(async () => {
        const { occupyGpu } = await import("../gpu/calibration/occupy.ts");
        return occupyGpu(gpu, load);
      }),

    lookAtPeaks: async ({ variants }) =>
      between(async () => {
        const { lookQuickly } = await import("../gpu/calibration/calibrate.ts");
        return lookQuickly(gpu, variants);
      }),
  };
}

/** @param between does what takes long outside of any step */
function cacheAnswers(
  session: RankSession,
  between: <Found>(work: () => Promise<Found>) => Promise<Found>,
): Pick<Answers, "emptyCaches" | "fillCaches"> {
  return {
    emptyCaches: async () => between(async () => emptyCaches(session)),
    fillCaches: async () => between(async () => fillCaches(session)),
  };
}

async function emptyCaches({ gpu, prepared }: RankSession): Promise<Asked<"emptyCaches">> {
  const { program, region } = prepared();
  const poison = await createPoison(gpu, `rank ${program.rank}`);
  poison.fill(program.buffers.flatMap(({ id, role }) => (role === "cache" ? [region(id)] : [])));
  await awaitGpu(gpu, gpu.device.queue.onSubmittedWorkDone());
  poison.destroy();
  return {};
}

async function fillCaches({
  gpu,
  prepared,
  onLongWork,
}: RankSession): Promise<Asked<"fillCaches">> {
  const { program, region } = prepared();
  const filler = createFiller(gpu, `rank ${program.rank} caches`, hashSource(0));
  for (const { id, role, shape, dtype } of program.buffers) {
    if (role !== "cache") continue;
    const tensor = { kind: "uniform", tensor: id, center: 0, scale: 1, shape } as const;
    const content = { ...tensor, offset: shape.map(() => 0), size: shape };
    await filler.fill(region(id).buffer, content, dtype, onLongWork);
  }
  await awaitGpu(gpu, gpu.device.queue.onSubmittedWorkDone());
  filler.destroy();
  return {};
}

async function calibrate(
  { gpu }: RankSession,
  how: Asked<"calibrate">["how"],
  onPart: OnPart,
): Promise<RecalledCalibration> {
  // Ranks start sooner without it.
  const { calibrateAndKeep, calibrateKernels, recallOrCalibrate } =
    await import("../gpu/calibration/recall.ts");
  if (how === "keep") return calibrateAndKeep(gpu, (calibration) => onPart({ calibration }));
  return how === "recall" ? recallOrCalibrate(gpu) : { calibration: await calibrateKernels(gpu) };
}
