// Steps of a plan's program in turn with steps of the program without overlap, its twin, which does the same work.

import { breakDown } from "../measure/breakdown.ts";
import {
  hiddenCommunication,
  type HiddenCommunication,
  type ProgramStep,
} from "../measure/hidden_communication.ts";
import {
  overlapEffectOf,
  type OverlapEffect,
  type OverlapRound,
} from "../measure/overlap_effect.ts";
import { mean } from "../measure/statistics.ts";
import type { Plan } from "../plan/plan.ts";
import { lower } from "../program/lower.ts";
import type { Program } from "../program/program.ts";
import type { StepTrace } from "../program/trace.ts";
import type { Pinning } from "../runtime/coordinator.ts";
import type { RankPool } from "../runtime/rank_pool.ts";

export interface OverlapRounds {
  /** Whether steps are so long that timed ones may take turns with the twin's: what is in caches matters little. */
  readonly takesTurns: boolean;
  /** ms of steps that the ranks have taken for them. */
  readonly warmMs: number;
  /** A step of the twin, to be followed by a timed one; none where there are enough. */
  before(): Promise<void>;
  /** A timed step. */
  timed(trace: StepTrace): void;
  /** Takes the rounds that are left. @param wanted Default: at least 5, and up to 9 as far as time allows */
  finish(wanted?: number): Promise<OverlapEffect | undefined>;
}

/** Enough for an interval of the median, and for a narrow one. */
const least = 5;
const most = 9;
/** Of all steps that are taken for rounds alone, beyond the least. */
const budgetMs = 2500;
const longMs = 100;

/** The plan's program without overlap; undefined where nothing overlaps. */
export function withoutOverlap(plan: Plan, program: Program): Program | undefined {
  const overlaps = program.ranks.some(({ instructions }) =>
    instructions.some(({ op }) => op === "start"),
  );
  if (!overlaps || program.phases !== undefined) return undefined;
  return lower({
    ...plan,
    optimizations: plan.optimizations.filter((name) => name !== "communication-overlap"),
  });
}

/**
 * Lets the twin take a step.
 *
 * @param twin open on the pool
 */
export async function openOverlapRounds(
  program: Program,
  twin: Program,
  pool: Pick<RankPool, "adapters" | "step" | "stepTwin">,
  pin: Pinning = false,
): Promise<OverlapRounds> {
  const oneCoreEach = pin !== false && pool.adapters.every(({ choice }) => choice.software);
  const taken: OverlapRound[] = [];
  let plain: StepTrace | undefined;
  let spentMs = 0;
  const before = async (): Promise<void> => {
    if (taken.length >= most) return;
    plain = await pool.stepTwin(twin);
    spentMs += plain.wallMs;
  };
  const timed = (trace: StepTrace): void => {
    if (plain === undefined) return;
    const alone = { program: twin, trace: plain };
    taken.push(roundOf(alone, { program, trace }, oneCoreEach));
    plain = undefined;
  };
  const isEnough = (wanted: number | undefined): boolean =>
    wanted === undefined
      ? taken.length >= most || (taken.length >= least && spentMs > budgetMs)
      : taken.length >= wanted;
  const { wallMs } = await pool.stepTwin(twin);
  return {
    takesTurns: wallMs >= longMs,
    warmMs: wallMs,
    before,
    timed,
    async finish(wanted) {
      while (!isEnough(wanted)) {
        plain = await pool.stepTwin(twin);
        const trace = await pool.step();
        spentMs += plain.wallMs + trace.wallMs;
        timed(trace);
      }
      return overlapEffectOf(taken);
    },
  };
}

function roundOf(plain: ProgramStep, overlapped: ProgramStep, oneCoreEach: boolean): OverlapRound {
  const overlap = overlapShare(overlapped.trace);
  const found = hiddenCommunication(plain, overlapped);
  return {
    plainStepMs: plain.trace.wallMs,
    stepMs: overlapped.trace.wallMs,
    ...(overlap === undefined ? {} : { overlap }),
    ...(found === undefined ? {} : { hidden: oneCoreEach ? found : withoutCore(found) }),
  };
}

function withoutCore({ core: _, ...hidden }: HiddenCommunication): HiddenCommunication {
  return hidden;
}

/** As HTA counts it, mean over the ranks that communicate. */
function overlapShare({ ranks, wallMs }: StepTrace): number | undefined {
  const shares = ranks
    .map((rank) => breakDown(rank, wallMs))
    .filter(({ communicatingMs }) => communicatingMs > 0)
    .map(({ overlappedMs, communicatingMs }) => overlappedMs / communicatingMs);
  return shares.length === 0 ? undefined : mean(shares);
}
