// Opens the ranks of a program and runs steps on all of them. It never loads Dawn: whatever a driver does
// to a rank, this process outlives it.

import { availableParallelism } from "node:os";
import { stamped } from "../collectives/transport/emulated_links.ts";
import { mailboxPlans } from "../collectives/mailboxes.ts";
import { defaultTransport, type TransportName } from "../collectives/transport/transports.ts";
import { type Waiting, waitingFor } from "../collectives/transport/waiting.ts";
import type { AdapterChoice, AdapterReport } from "../gpu/adapter.ts";
import { refuseOtherAdapter } from "../gpu/opened_as_placed.ts";
import type { Load, Turn } from "../gpu/calibration/occupy.ts";
import type { QuickLook, RateVariants } from "../gpu/calibration/kernel_rates.ts";
import type { RecalledCalibration } from "../gpu/calibration/recall.ts";
import { EnvironmentError } from "../environment_error.ts";
import type { Program } from "../program/program.ts";
import type { ServedStep } from "../program/serving/served.ts";
import type { SimulatedLink } from "../program/simulate/link_cost.ts";
import type { Measured } from "../program/simulate/simulate.ts";
import type { RankTrace, StepTrace } from "../program/trace.ts";
import type { TunedCall } from "../tuning/tuned_call.ts";
import { keepAwake } from "./keep_awake.ts";
import type { ObserveOptions, RankDigests, RankObservation } from "./observation.ts";
import type { CallUse } from "./program_calls.ts";
import type { Answer, CalibrationWay, Opened } from "./protocol.ts";
import { pinThreads } from "./pin_threads.ts";
import type { HeldMemory } from "./rank_memory.ts";
import { timeAlone } from "./time_alone.ts";
import { type OnFound, tuneRanks } from "./tune_ranks.ts";
import { type RankGroup, startRankGroup } from "./rank_group.ts";
import { inheritedFile } from "./rank_process.ts";
import { defaultPatience, type Patience } from "./watchdog.ts";

/** `awake`: cores that ranks are pinned to do not sleep while nobody works there. */
export type Pinning = boolean | "awake";

export interface OpenRanksOptions {
  /** Ends everything with `EnvironmentError` `interrupted`. */
  readonly signal?: AbortSignal;
  /** Default: the best that works on this machine. */
  readonly transport?: TransportName;
  readonly patience?: Partial<Patience>;
  /** Default: a short spin where there is a core for every rank. */
  readonly waiting?: Waiting;
  /** Rank i runs on core i only (Linux); throws `EnvironmentError` `cannot-pin` where there are fewer. */
  readonly pinToCores?: Pinning;
  /** By rank, the core that it runs on instead; several may share one. */
  readonly cores?: readonly number[];
  /** Emulated between all ranks; default: messages are as fast as the machine. */
  readonly link?: SimulatedLink;
  /** By adapter id, what tuning found out there. Default: nothing, so that kernels take their usual variants. */
  readonly known?: ReadonlyMap<string, readonly TunedCall[]>;
}

export interface RecalledOnAdapter extends RecalledCalibration {
  readonly adapter: string;
}

export interface RankLoad {
  readonly rank: number;
  readonly load: Load;
}

export interface StepRequest {
  /** Only the instructions of this stage. Default: all. */
  readonly stage?: string;
}

export interface RankPool {
  /** What each rank opened. */
  readonly adapters: readonly AdapterReport[];
  readonly transport: TransportName;
  /** What a person should know of the circumstances, in sentences without a full stop. */
  readonly notes: readonly string[];
  readonly pids: readonly (number | undefined)[];
  /** Per rank, bytes of the buffers that its program declares, as they were allocated. */
  readonly allocatedBytes: readonly number[];
  /** Per rank, the most that was alive so far; what check and calibration need for themselves is left out. */
  readonly peakBytes: readonly number[];
  /** One timed step; all ranks start together. */
  step(options?: StepRequest): Promise<StepTrace>;
  /** So many of them in a row: short steps are not kept waiting for messages. */
  steps(count: number, options?: StepRequest): Promise<StepTrace[]>;
  /** Steps of serving in a row. */
  serve(steps: readonly ServedStep[]): Promise<StepTrace[]>;
  /** Before requests start anew. */
  emptyCaches(): Promise<void>;
  /** One step whose results are shown. */
  observe(options?: ObserveOptions): Promise<RankObservation[]>;
  /** Each distinct adapter once, alone. @param onPart called with what is measured so far of one that is to be kept */
  calibrate(
    how: CalibrationWay,
    onPart?: (part: RecalledOnAdapter) => void,
  ): Promise<RecalledOnAdapter[]>;
  /** What keeps a rank's GPU busy for about that long, while no other rank does anything. */
  sizeLoad(rank: number, targetMs: number): Promise<Load>;
  /** All ranks that are named at once; when each was at work, in ms of the machine's clock, in their order. */
  occupy(asked: readonly RankLoad[]): Promise<Turn[]>;
  /** By adapter, what a short measurement reaches now; each adapter alone. */
  lookAtPeaks(variants: ReadonlyMap<string, RateVariants>): Promise<ReadonlyMap<string, QuickLook>>;
  /**
   * Tries variants of the kernels, rank after rank so that nothing else runs meanwhile, and has all ranks take
   * those that won; what one rank finds out serves all on the same adapter. Runs a step first, and nothing at
   * all where no variant is left to be tried.
   *
   * @param budgetMs for each rank
   * @param served of serving: a step of each phase that there is to tune
   */
  tune(budgetMs: number, onFound: OnFound, served?: readonly ServedStep[]): Promise<void>;
  /**
   * Exclusive timing: what every instruction takes while only its rank is at work. One step of all ranks is
   * recorded, then each rank runs it alone.
   *
   * @param least steps per rank
   * @param most where steps are short. Default: `least`
   * @returns undefined where an adapter does not time kernels one by one
   */
  timeAlone(least: number, most?: number): Promise<Measured | undefined>;
  /** Per rank, what its results were in all steps since it was last observed. */
  digests(): Promise<RankDigests[]>;
  /** Per rank, what it holds now; collects its garbage first. */
  memory(): Promise<HeldMemory[]>;
  /** Per rank, the kernels of its program and the variants they take now. */
  readonly calls: readonly (readonly CallUse[])[];
  close(): Promise<void>;
}

/**
 * One process per rank, each on its adapter, with its buffers allocated and its kernels compiled.
 *
 * @param placement by rank
 * @throws EnvironmentError that names the rank which could not start; so do the methods of the pool when
 *   a rank dies, hangs, loses its device or runs out of memory, and no other rank is left then
 */
export async function openRanks(
  program: Program,
  placement: readonly (AdapterReport | AdapterChoice)[],
  options: OpenRanksOptions = {},
): Promise<RankPool> {
  const choices = program.ranks.map(({ rank }) => choiceOf(placement[rank], rank));
  const { pinToCores = false } = options;
  if (pinToCores !== false) refuseToPin(program.ranks.length);
  const patience = { ...defaultPatience, ...options.patience };
  const transport = options.transport ?? defaultTransport();
  const { link } = options;
  const mailboxes = link === undefined ? mailboxPlans(program) : stamped(mailboxPlans(program));
  const own = pinToCores === false ? [] : program.ranks.map(({ rank }) => rank);
  const cores = options.cores ?? own;
  const group = startRankGroup({
    program,
    choices,
    mailboxes,
    transport,
    patience,
    cores,
    signal: options.signal,
    onEnd: () => keptAwake.end(),
  });
  const keptAwake = keepAwake(pinToCores === "awake" ? cores : []);
  const software = choices.some((choice) => choice.software);
  const usual = waitingFor(program.ranks.length, availableParallelism(), software);
  const open = async (rank: number) =>
    group.ask(rank, "open", {
      program: program.ranks[rank] ?? { rank, buffers: [], instructions: [] },
      seed: program.seed,
      ranks: program.ranks.length,
      choice: choiceOf(placement[rank], rank),
      mailboxes,
      waiting: options.waiting ?? usual,
      known: options.known?.get(choices[rank]?.id ?? "") ?? [],
      ...(link === undefined ? {} : { link }),
      heartbeatMs: Math.min(500, patience.hangMs / 8),
      transport,
      file: inheritedFile,
    });
  try {
    await keptAwake.ready;
    const opened = await Promise.all(choices.map(async (_, rank) => open(rank)));
    // Drivers have started their threads by now.
    await Promise.all(
      group.pids.map(async (pid, rank) => {
        const core = cores[rank];
        if (pid !== undefined && core !== undefined) await pinThreads(pid, core);
      }),
    );
    for (const [rank, { report }] of opened.entries()) {
      const placed = placement[rank];
      if (placed !== undefined && "choice" in placed) refuseOtherAdapter(rank, placed, report);
    }
    return {
      transport,
      notes: group.notes,
      pids: group.pids,
      adapters: opened.map(({ report }) => report),
      allocatedBytes: opened.map(({ allocatedBytes }) => allocatedBytes),
      ...createTasks(group, program, choices, opened, options.known ?? new Map()),
    };
  } catch (error) {
    await group.end();
    throw error;
  }
}

function choiceOf(placed: AdapterReport | AdapterChoice | undefined, rank: number): AdapterChoice {
  if (placed === undefined) throw new RangeError(`no adapter is placed for rank ${rank}`);
  return "choice" in placed ? placed.choice : placed;
}

function createTasks(
  group: RankGroup,
  program: Program,
  choices: readonly AdapterChoice[],
  opened: readonly Pick<Opened, "peakBytes" | "calls">[],
  known: ReadonlyMap<string, readonly TunedCall[]>,
): Omit<RankPool, "adapters" | "transport" | "notes" | "pids" | "allocatedBytes"> {
  let steps = 0;
  const peakBytes = opened.map((rank) => rank.peakBytes);
  const calls = opened.map((rank) => rank.calls);
  const assemble = (byRank: readonly Answer<"step">[], count: number): StepTrace[] => {
    for (const [rank, own] of byRank.entries()) peakBytes[rank] = own.peakBytes;
    const first = steps;
    steps += count;
    return Array.from({ length: count }, (_, i) =>
      assembleStep(
        first + i,
        byRank.flatMap(({ traces }) => traces[i] ?? []),
      ),
    );
  };
  const takeSteps: RankPool["steps"] = async (count, options = {}) =>
    assemble(await group.askAll("step", { count, ...options }), count);
  return {
    peakBytes,
    calls,

    steps: takeSteps,

    async step(options = {}) {
      const [trace] = await takeSteps(1, options);
      if (trace === undefined) throw new Error("a step left no trace");
      return trace;
    },

    serve: async (wanted) =>
      assemble(await group.askAll("serve", { steps: wanted }), wanted.length),
    async emptyCaches() {
      await group.askAll("emptyCaches", {});
    },

    observe: async (options = {}) => (await group.askAll("observe", options)).map(ownMemory),
    digests: async () => group.askAll("digests", {}),
    memory: async () => group.askAll("memory", {}),

    async calibrate(how, onPart) {
      const found = new Map<string, RecalledCalibration>();
      for (const [rank, { id }] of choices.entries()) {
        if (found.has(id)) continue;
        const onOwn = (part: RecalledCalibration) => onPart?.({ adapter: id, ...part });
        found.set(id, await group.ask(rank, "calibrate", { how }, onOwn));
      }
      return [...found].map(([adapter, recalled]) => ({ adapter, ...recalled }));
    },

    sizeLoad: async (rank, targetMs) => group.ask(rank, "sizeLoad", { targetMs }),
    occupy: async (asked) =>
      Promise.all(asked.map(async ({ rank, load }) => group.ask(rank, "occupy", { load }))),

    async lookAtPeaks(variants) {
      const looks = new Map<string, QuickLook>();
      for (const [rank, { id }] of choices.entries()) {
        const own = variants.get(id);
        if (own === undefined || looks.has(id)) continue;
        looks.set(id, await group.ask(rank, "lookAtPeaks", { variants: own }));
      }
      return looks;
    },

    timeAlone: async (least, most = least) => timeAlone(group, program, least, most),

    async tune(budgetMs, onFound, served) {
      const adopted = await tuneRanks(group, choices, calls, known, budgetMs, onFound, served);
      for (const [rank, uses] of adopted.entries()) calls[rank] = uses;
    },

    close: async () => group.end(),
  };
}

/** The bytes of a message lie somewhere within the message's own memory. */
function ownMemory(observation: RankObservation): RankObservation {
  return {
    ...observation,
    observed: observation.observed.map((buffer) => ({ ...buffer, bytes: buffer.bytes.slice() })),
  };
}

/** Traces on the machine's axis become one on the step's, which starts with its first rank. */
function assembleStep(step: number, traces: readonly RankTrace[]): StepTrace {
  const originMs = Math.min(...traces.map(({ startMs }) => startMs));
  const ranks = traces.map((trace) => ({
    ...trace,
    startMs: trace.startMs - originMs,
    endMs: trace.endMs - originMs,
    spans: trace.spans.map((span) => ({
      ...span,
      startMs: span.startMs - originMs,
      endMs: span.endMs - originMs,
    })),
  }));
  const wallMs = Math.max(...ranks.map(({ endMs }) => endMs));
  return { step, provenance: "measured", wallMs, ranks };
}

function refuseToPin(ranks: number): void {
  const cores = availableParallelism();
  if (process.platform === "linux" && ranks <= cores) return;
  throw new EnvironmentError(
    "cannot-pin",
    process.platform === "linux"
      ? `${ranks} ranks cannot have a core of their own each: the machine has ${cores}`
      : "processes can be pinned to cores on Linux only",
    "run without pinning, or a plan with fewer ranks",
  );
}
