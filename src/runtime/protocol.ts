// What the coordinator may ask of a rank, and what the rank answers: the one table of both sides. A request is a row
// here and a function in `answers.ts`; whoever has the ranks may then `ask` it.

import type { MailboxPlan } from "../collectives/transport/communicator.ts";
import type { TransportName } from "../collectives/transport/transports.ts";
import type { Waiting } from "../collectives/transport/waiting.ts";
import type { AdapterChoice, AdapterReport } from "../gpu/adapter.ts";
import type { Load, Turn } from "../gpu/calibration/occupy.ts";
import type { QuickLook, RateVariants } from "../gpu/calibration/kernel_rates.ts";
import type { RecalledCalibration } from "../gpu/calibration/recall.ts";
import type { RankProgram } from "../program/program.ts";
import type { TokenSource } from "../program/token_source.ts";
import type { ServedStep } from "../program/serving/served.ts";
import type { StepAlone } from "../program/simulate/cost.ts";
import type { SimulatedLink } from "../program/simulate/link_cost.ts";
import type { RankTrace } from "../program/trace.ts";
import type { TunedCall } from "../tuning/tuned_call.ts";
import type { GivenContents } from "../weights/given_source.ts";
import type {
  ObservedBuffer,
  ObserveOptions,
  RankDigests,
  RankObservation,
} from "./observation.ts";
import type { CallUse } from "./program_calls.ts";
import type { HeldMemory } from "./rank_memory.ts";
import type { Signals } from "./signals.ts";

interface Row<Question, Reply> {
  readonly asked: Question;
  readonly answer: Reply;
}

/** No options. */
type Nothing = Readonly<Record<string, never>>;

/** Which of a rank's programs: a twin by its number. Absent: the own one. */
interface OfProgram {
  readonly twin?: number;
}

export interface Protocol {
  /** Comes first, and once. */
  readonly open: Row<OpenRequest, Opened>;
  /** Steps in a row, of all instructions or of those of one stage. Times are on the machine's axis, not the step's. */
  readonly step: Row<
    { readonly stage?: string; readonly isContinued?: boolean; readonly count: number },
    { readonly traces: readonly RankTrace[]; readonly peakBytes: number }
  >;
  /** Opens another program beside the own one, where the GPU has memory for it: twins are numbered from 0. */
  readonly openTwin: Row<
    { readonly program: RankProgram; readonly known: readonly TunedCall[] },
    { readonly opened: boolean }
  >;
  /** One of its steps. */
  readonly stepTwin: Row<{ readonly twin: number }, RankTrace>;
  /** Steps of serving in a row; of each, what tokens are picked from, where the plan samples. */
  readonly serve: Row<
    { readonly steps: readonly ServedStep[] },
    {
      readonly traces: readonly RankTrace[];
      readonly peakBytes: number;
      readonly candidates: readonly (readonly ObservedBuffer[])[];
    }
  >;
  /** Fills the caches with what no right step leaves there, so that nothing of earlier requests passes for new. */
  readonly emptyCaches: Row<Nothing, Nothing>;
  /** Fills the caches with numbers from a seed, as if requests had been prefilled. */
  readonly fillCaches: Row<Nothing, Nothing>;
  readonly observe: Row<ObserveOptions & OfProgram, RankObservation>;
  readonly digests: Row<OfProgram, RankDigests>;
  /** A step of all ranks whose messages each keeps, for `exclusive`; and when they came and went. */
  readonly record: Row<
    { readonly served?: ServedStep },
    { readonly signals: Signals; readonly stepMs: number }
  >;
  /** A step of this rank on what it recorded, while no other rank does anything; after the last it forgets that. */
  readonly exclusive: Row<{ readonly isLast: boolean; readonly served?: ServedStep }, StepAlone>;
  /** Tries variants of kernels on what the last step left in their buffers, while no other rank does anything. */
  readonly tune: Row<
    {
      readonly budgetMs: number;
      readonly known: readonly TunedCall[];
      /** Of serving: kernels of that phase only, whose step was the last. */
      readonly phase?: ServedStep["phase"];
    },
    readonly TunedCall[]
  >;
  /** Takes the variants that won, from the next step on. */
  readonly adopt: Row<{ readonly known: readonly TunedCall[] }, readonly CallUse[]>;
  /** Tells parts of what is to be kept as they are measured. */
  readonly calibrate: Row<{ readonly how: CalibrationWay }, RecalledCalibration>;
  /** How much work keeps the GPU busy that long, while no other rank does anything. */
  readonly sizeLoad: Row<{ readonly targetMs: number }, Load>;
  /** Does so much. */
  readonly occupy: Row<{ readonly load: Load }, Turn>;
  /** Measures peaks again, some tenths of a second and by these variants only, while no other rank does anything. */
  readonly lookAtPeaks: Row<{ readonly variants: RateVariants }, QuickLook>;
  /** Collects garbage first. */
  readonly memory: Row<Nothing, HeldMemory>;
}

export interface OpenRequest {
  readonly program: RankProgram;
  readonly seed: number;
  /** Of token ids. Absent: they are hashes of the seed. */
  readonly data?: TokenSource;
  /** Weights and tokens that are not made from the seed. */
  readonly given?: GivenContents;
  readonly ranks: number;
  readonly choice: AdapterChoice;
  readonly mailboxes: readonly MailboxPlan[];
  readonly transport: TransportName;
  /** Where the process inherits the transport's file, if it has one. */
  readonly file: number;
  readonly waiting: Waiting;
  /** Absent: messages are as fast as the machine. */
  readonly link?: SimulatedLink;
  /** What tuning found out on this adapter. */
  readonly known: readonly TunedCall[];
  readonly heartbeatMs: number;
}

export interface Opened {
  readonly report: AdapterReport;
  /** Of the buffers that the program declares. */
  readonly allocatedBytes: number;
  readonly peakBytes: number;
  /** With the variants that they were opened with. */
  readonly calls: readonly CallUse[];
}

/**
 * - `recall`: a kept one that still holds, else what kernels are held against is measured
 * - `anew`: that is measured in any case
 * - `keep`: everything is measured, and kept for later runs
 */
export type CalibrationWay = "recall" | "anew" | "keep";

export type Kind = keyof Protocol;
export type Asked<Of extends Kind> = Protocol[Of]["asked"];
export type Answer<Of extends Kind> = Protocol[Of]["answer"];

/** Is told what is measured so far, of an answer that is still to come. */
export type OnPart = (part: RecalledCalibration) => void;

/** How a rank answers. */
export type Answers = {
  readonly [Of in Kind]: (asked: Asked<Of>, onPart: OnPart) => Promise<Answer<Of>>;
};
