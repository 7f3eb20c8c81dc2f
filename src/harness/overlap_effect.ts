// What overlap hides and what it gains: steps of the plan's program in turn with steps of the program without
// overlap, which does the same work.

import { EnvironmentError } from "../environment_error.ts";
import { breakDown } from "../measure/breakdown.ts";
import { figureOf, type Conditions } from "../measure/figures.ts";
import { hiddenCommunication, type HiddenIdleTime } from "../measure/hidden_communication.ts";
import { mean, seededRandom } from "../measure/statistics.ts";
import type { Plan } from "../plan/plan.ts";
import { lower } from "../program/lower.ts";
import type { Program } from "../program/program.ts";
import type { StepTrace } from "../program/trace.ts";
import type { IdleEffect, OverlapEffect } from "../report/result.ts";
import { openRanks, type OpenRanksOptions, type RankPool } from "../runtime/coordinator.ts";

/** Enough for an interval of the median. */
const usualRounds = 9;

export const overlaps = (program: Program): boolean =>
  program.ranks.some(({ instructions }) => instructions.some(({ op }) => op === "start"));

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
    const steps: Round[] = [];
    // The first round warms up.
    for (let round = 0; round <= rounds; round += 1) {
      const both = { plain: await plainPool.step(), overlapped: await pool.step() };
      if (round > 0) steps.push(both);
    }
    const { pinToCores = false } = options;
    const oneCoreEach =
      pinToCores !== false && pool.adapters.every(({ choice }) => choice.software);
    return effectOf(plain, program, steps, oneCoreEach);
  } finally {
    await plainPool.close();
  }
}

interface Round {
  readonly plain: StepTrace;
  readonly overlapped: StepTrace;
}

const effectOf = (
  plain: Program,
  overlapped: Program,
  rounds: readonly Round[],
  oneCoreEach: boolean,
): OverlapEffect | undefined => {
  const conditions: Conditions = {
    provenance: "measured",
    conditions: ["in turn with steps of the same plan without overlap"],
    random: seededRandom(overlapped.seed),
  };
  const ms = (values: readonly number[]) => figureOf(values, "ms", conditions);
  const ratio = (values: readonly number[]) => figureOf(values, "ratio", conditions);
  const share = (values: readonly number[]) => figureOf(values, "share", conditions);
  const found = rounds.flatMap(
    (round) =>
      hiddenCommunication(
        { program: plain, trace: round.plain },
        { program: overlapped, trace: round.overlapped },
      ) ?? [],
  );
  const plainStepMs = ms(rounds.map((round) => round.plain.wallMs));
  const stepMs = ms(rounds.map((round) => round.overlapped.wallMs));
  const stepRatio = ratio(rounds.map((round) => round.overlapped.wallMs / round.plain.wallMs));
  const communicationMs = ms(found.map((each) => each.communicationMs));
  const hideableMs = ms(found.map((each) => each.hideableMs));
  const exposedMs = ms(found.map((each) => each.exposedMs));
  const hiddenMs = ms(found.map((each) => each.hiddenMs));
  const hiddenShare = share(
    found.flatMap((each) => (each.hideableMs > 0 ? [each.hiddenMs / each.hideableMs] : [])),
  );
  const plainComputeMs = ms(found.map((each) => each.plainComputeMs));
  const computeRatio = ratio(
    found.flatMap((each) =>
      each.plainComputeMs > 0 ? [each.computeMs / each.plainComputeMs] : [],
    ),
  );
  const overlap = share(rounds.flatMap((round) => overlapShare(round.overlapped)));
  const core = oneCoreEach
    ? idleEffect(
        found.flatMap((each) => each.core ?? []),
        conditions,
      )
    : undefined;
  if (!plainStepMs || !stepMs || !stepRatio || !plainComputeMs) return undefined;
  if (!communicationMs || !hideableMs || !exposedMs || !hiddenMs) return undefined;
  return {
    plainStepMs,
    stepMs,
    stepRatio,
    communicationMs,
    hideableMs,
    exposedMs,
    hiddenMs,
    ...(hiddenShare === undefined ? {} : { hiddenShare }),
    plainComputeMs,
    ...(computeRatio === undefined ? {} : { computeRatio }),
    ...(overlap === undefined ? {} : { overlap }),
    ...(core === undefined ? {} : { core }),
  };
};

const idleEffect = (
  found: readonly HiddenIdleTime[],
  conditions: Conditions,
): IdleEffect | undefined => {
  const ms = (values: readonly number[]) => figureOf(values, "ms", conditions);
  const idleMs = ms(found.map((each) => each.idleMs));
  const hideableMs = ms(found.map((each) => each.hideableMs));
  const hiddenMs = ms(found.map((each) => each.hiddenMs));
  const hiddenShare = figureOf(
    found.flatMap((each) => (each.hideableMs > 0 ? [each.hiddenMs / each.hideableMs] : [])),
    "share",
    conditions,
  );
  const moreWorkMs = ms(found.map((each) => each.moreWorkMs));
  if (!idleMs || !hideableMs || !hiddenMs || !moreWorkMs) return undefined;
  return {
    idleMs,
    hideableMs,
    hiddenMs,
    ...(hiddenShare === undefined ? {} : { hiddenShare }),
    moreWorkMs,
  };
};

/** As HTA counts it, mean over the ranks that communicate. */
const overlapShare = ({ ranks, wallMs }: StepTrace): number[] => {
  const shares = ranks
    .map((rank) => breakDown(rank, wallMs))
    .filter(({ communicatingMs }) => communicatingMs > 0)
    .map(({ overlappedMs, communicatingMs }) => overlappedMs / communicatingMs);
  return shares.length === 0 ? [] : [mean(shares)];
};

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
