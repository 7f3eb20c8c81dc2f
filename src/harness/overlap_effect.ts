// Steps of a plan's program in turn with steps of the program without overlap, which does the same work.

import { EnvironmentError } from "../environment_error.ts";
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
import { openRanks, type OpenRanksOptions } from "../runtime/coordinator.ts";
import type { RankPool } from "../runtime/rank_pool.ts";

/** Enough for an interval of the median. */
const usualRounds = 9;

export function overlaps(program: Program): boolean {
  return program.ranks.some(({ instructions }) => instructions.some(({ op }) => op === "start"));
}

/** What `program` gains over the same plan without overlap; undefined where the GPUs have no memory for both. */
export async function measureOverlapEffect(
  plan: Plan,
  program: Program,
  pool: RankPool,
  placement: Parameters<typeof openRanks>[1],
  options: OpenRanksOptions,
  rounds = usualRounds,
): Promise<OverlapEffect | undefined> {
  const plain = lower({
    ...plan,
    optimizations: plan.optimizations.filter((name) => name !== "communication-overlap"),
  });
  const plainPool = await openUnlessFull(plain, placement, options);
  if (plainPool === undefined) return undefined;
  try {
    const { pinToCores = false } = options;
    const oneCoreEach =
      pinToCores !== false && pool.adapters.every(({ choice }) => choice.software);
    const taken: OverlapRound[] = [];
    // The first round warms up.
    for (let round = 0; round <= rounds; round += 1) {
      const alone = { program: plain, trace: await plainPool.step() };
      const overlapped = { program, trace: await pool.step() };
      if (round > 0) taken.push(roundOf(alone, overlapped, oneCoreEach));
    }
    return overlapEffectOf(taken);
  } finally {
    await plainPool.close();
  }
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

async function openUnlessFull(
  ...given: Parameters<typeof openRanks>
): Promise<RankPool | undefined> {
  try {
    return await openRanks(...given);
  } catch (error) {
    if (error instanceof EnvironmentError && error.code === "out-of-memory") return undefined;
    throw error;
  }
}
