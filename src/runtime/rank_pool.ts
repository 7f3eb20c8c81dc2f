// The ranks of a program as its caller sees them: open, and ready to run steps.

import type { AdapterChoice, AdapterReport } from "../gpu/adapter.ts";
import type { QuickLook, RateVariants } from "../gpu/calibration/kernel_rates.ts";
import type { RecalledCalibration } from "../gpu/calibration/recall.ts";
import type { TransportName } from "../collectives/transport/transports.ts";
import { stepOf } from "../program/lower.ts";
import type { Program } from "../program/program.ts";
import type { ServedStep } from "../program/serving/served.ts";
import type { Measured } from "../program/simulate/simulate.ts";
import type { RankTrace, StepTrace } from "../program/trace.ts";
import type { TunedCall } from "../tuning/tuned_call.ts";
import type {
  ObservedBuffer,
  ObserveOptions,
  RankDigests,
  RankObservation,
} from "./observation.ts";
import type { CallUse } from "./program_calls.ts";
import type { Answer, CalibrationWay, Opened } from "./protocol.ts";
import type { RankGroup } from "./rank_group.ts";
import { timeAlone } from "./time_alone.ts";
import { type OnFound, tuneRanks } from "./tune_ranks.ts";

export interface RecalledOnAdapter extends RecalledCalibration {
  readonly adapter: string;
}

export interface StepRequest {
  /** Only the instructions of this stage. Default: all. */
  readonly stage?: string;
  /** Of training: from the weights that the step before left. Default: from the first. */
  readonly isContinued?: boolean;
}

/** Whatever is in the protocol may be asked; its methods are what takes more than one request, or keeps count. */
export interface RankPool extends Pick<RankGroup, "ask" | "askAll" | "pids" | "notes"> {
  /** What each rank opened. */
  readonly adapters: readonly AdapterReport[];
  readonly transport: TransportName;
  /** Clocks of two ranks differ by no more than twice that, ms. */
  readonly clockUncertaintyMs: number;
  /** Per rank, bytes of the buffers that its program declares, as they were allocated. */
  readonly allocatedBytes: readonly number[];
  /** Per rank, the most that was alive so far; what check and calibration need for themselves is left out. */
  readonly peakBytes: readonly number[];
  /** Per rank, the kernels of its program and the variants they take now. */
  readonly calls: readonly (readonly CallUse[])[];
  /** One timed step; all ranks start together. */
  step(options?: StepRequest): Promise<StepTrace>;
  /** So many of them in a row: short steps are not kept waiting for messages. */
  steps(count: number, options?: StepRequest): Promise<StepTrace[]>;
  /** Opens a twin that the ranks were opened for. @returns false where a GPU has no memory for it beside the others */
  openTwin(twin: Program, known?: ReadonlyMap<string, readonly TunedCall[]>): Promise<boolean>;
  /** One step of an open twin, which is no step of the program and not counted as one. */
  stepTwin(twin: Program): Promise<StepTrace>;
  /** As `observe`, of an open twin. */
  observeTwin(twin: Program, options?: ObserveOptions): Promise<RankObservation[]>;
  /** Of an open twin, over its steps since it was observed. */
  digestsOfTwin(twin: Program): Promise<RankDigests[]>;
  /** Steps of serving in a row. @param onCandidates is given what the tokens of each step are picked from */
  serve(
    steps: readonly ServedStep[],
    onCandidates?: (step: ServedStep, shown: readonly ObservedBuffer[]) => void,
  ): Promise<StepTrace[]>;
  /** One step whose results are shown. */
  observe(options?: ObserveOptions): Promise<RankObservation[]>;
  /** Each distinct adapter once, alone. @param onPart called with what is measured so far of one that is to be kept */
  calibrate(
    how: CalibrationWay,
    onPart?: (part: RecalledOnAdapter) => void,
  ): Promise<RecalledOnAdapter[]>;
  /** By adapter, what a short measurement reaches now; each adapter alone. */
  lookAtPeaks(variants: ReadonlyMap<string, RateVariants>): Promise<ReadonlyMap<string, QuickLook>>;
  /**
   * Tries variants of the kernels, rank after rank so that nothing else runs meanwhile, and has all ranks take
   * those that won; what one rank finds out serves all on the same adapter. Runs a step first, and nothing at
   * all where no variant is left to be tried.
   *
   * @param budgetMs on each adapter
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
  timeAlone(least: number, most?: number, served?: ServedStep): Promise<Measured | undefined>;
  close(): Promise<void>;
}

/**
 * @param opened by rank
 * @param known by adapter id, as the ranks were opened with it
 */
export function createPool(
  group: RankGroup,
  program: Program,
  transport: TransportName,
  choices: readonly AdapterChoice[],
  opened: readonly Opened[],
  known: ReadonlyMap<string, readonly TunedCall[]>,
): RankPool {
  const { ask, askAll, pids, notes, clockUncertaintyMs } = group;
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
    assemble(await askAll("step", { count, ...options }), count);
  return {
    ask,
    askAll,
    pids,
    notes,
    clockUncertaintyMs,
    transport,
    adapters: opened.map(({ report }) => report),
    allocatedBytes: opened.map(({ allocatedBytes }) => allocatedBytes),
    peakBytes,
    calls,

    steps: takeSteps,

    async step(options = {}) {
      const [trace] = await takeSteps(1, options);
      if (trace === undefined) throw new Error("a step left no trace");
      return trace;
    },

    ...twinOf(group, choices),

    async serve(wanted, onCandidates) {
      const byRank = await askAll("serve", { steps: wanted });
      for (const [i, step] of wanted.entries()) {
        onCandidates?.(
          step,
          byRank.flatMap(({ candidates }) => candidates[i] ?? []),
        );
      }
      return assemble(byRank, wanted.length);
    },

    observe: async (options = {}) => (await askAll("observe", options)).map(ownMemory),

    ...peaksOf(group, choices),

    timeAlone: async (least, most = least, served) =>
      timeAlone(group, stepOf(program), least, most, served),

    async tune(budgetMs, onFound, served) {
      const adopted = await tuneRanks(group, choices, calls, known, budgetMs, onFound, served);
      for (const [rank, uses] of adopted.entries()) calls[rank] = uses;
    },

    close: async () => group.end(),
  };
}

function peaksOf(
  { ask }: RankGroup,
  choices: readonly AdapterChoice[],
): Pick<RankPool, "calibrate" | "lookAtPeaks"> {
  return {
    async calibrate(how, onPart) {
      const found = new Map<string, RecalledCalibration>();
      for (const [rank, { id }] of choices.entries()) {
        if (found.has(id)) continue;
        const onOwn = (part: RecalledCalibration) => onPart?.({ adapter: id, ...part });
        found.set(id, await ask(rank, "calibrate", { how }, onOwn));
      }
      return [...found].map(([adapter, recalled]) => ({ adapter, ...recalled }));
    },

    async lookAtPeaks(variants) {
      const looks = new Map<string, QuickLook>();
      for (const [rank, { id }] of choices.entries()) {
        const own = variants.get(id);
        if (own === undefined || looks.has(id)) continue;
        looks.set(id, await ask(rank, "lookAtPeaks", { variants: own }));
      }
      return looks;
    },
  };
}

function twinOf(
  { ask, askAll }: RankGroup,
  choices: readonly AdapterChoice[],
): Pick<RankPool, "openTwin" | "stepTwin" | "observeTwin" | "digestsOfTwin"> {
  /** By their number. */
  const twins: Program[] = [];
  const at = (twin: Program) => ({ twin: twins.indexOf(twin) });
  return {
    async openTwin(twin, known) {
      twins.push(twin);
      const answers = await Promise.all(
        twin.ranks.map(async (program, rank) => {
          const onAdapter = known?.get(choices[rank]?.id ?? "") ?? [];
          return ask(rank, "openTwin", { program, known: onAdapter });
        }),
      );
      return answers.every(({ opened }) => opened);
    },
    stepTwin: async (twin) => assembleStep(0, await askAll("stepTwin", at(twin))),
    observeTwin: async (twin, options = {}) =>
      (await askAll("observe", { ...options, ...at(twin) })).map(ownMemory),
    digestsOfTwin: async (twin) => askAll("digests", at(twin)),
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
