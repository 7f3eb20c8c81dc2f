// Why the ranks of a pipeline were idle: the bubble of one step, taken apart.
//
// The step is played again from what its own instructions took, first with their computing alone, then with
// communication, then with the host's work too. What each adds to the idle share is its part of the bubble;
// what the schedule must leave idle comes from the formula, and what no play explains is said.

import type { Program } from "../program/program.ts";
import { predictedBubble } from "../program/schedule/schedule.ts";
import { costsOfTrace, type RankCosts } from "../program/simulate/cost.ts";
import { play } from "../program/simulate/play.ts";
import { tapesOf } from "../program/simulate/tape.ts";
import type { StepTrace } from "../program/trace.ts";

/** Shares of ranks × wall time, in whole millionths. The parts sum to `measured`. */
export interface BubbleSample {
  /** In which no kernel of the model ran, mean over ranks. */
  readonly measured: number;
  /** What p equal stages must idle: (p − 1)/(m + p − 1), or (p − 1)/(v·m + p − 1). */
  readonly schedule: number;
  /** Stages, ranks or micro-batches that compute longer than others. */
  readonly imbalance: number;
  /** Readback, move, reduce and upload, and the waits that follow from them. */
  readonly communication: number;
  /** Encoding, submitting and waking, and the waits that follow. */
  readonly host: number;
  /** What the play of the step does not show: contention, and what is between instructions. */
  readonly unexplained: number;
}

/** Undefined without a pipeline, and where kernels were not timed one by one. */
export function bubbleOf(program: Program, trace: StepTrace): BubbleSample | undefined {
  const { schedule } = program;
  if (schedule === undefined || schedule.pipelineSize < 2) return undefined;
  const costs: RankCosts[] = [];
  for (const own of trace.ranks) {
    const count = program.ranks[own.rank]?.instructions.length ?? 0;
    const found = costsOfTrace(own, count);
    if (found === undefined) return undefined;
    costs[own.rank] = found;
  }
  const tapes = tapesOf(program, costs);
  const work = costs
    .flatMap(({ instructions }) => instructions)
    .reduce((sum, { compute }) => sum + compute, 0);
  const idleOf = (wallMs: number): number =>
    wallMs === 0 ? 0 : 1 - work / (wallMs * trace.ranks.length);
  const idleWith = (communication: boolean, host: boolean): number =>
    idleOf(
      play(tapes, { latencyMs: 0, without: { communication: !communication, host: !host } }).wallMs,
    );
  const measured = idleOf(trace.wallMs);
  const { ofTotal } = predictedBubble(schedule);
  const computing = idleWith(false, false);
  const communicating = idleWith(true, false);
  const all = idleWith(true, true);
  return {
    measured: inMillionths(measured),
    schedule: inMillionths(ofTotal),
    imbalance: inMillionths(computing - ofTotal),
    communication: inMillionths(communicating - computing),
    host: inMillionths(all - communicating),
    unexplained: inMillionths(measured - all),
  };
}

/** Finer than times in whole nanoseconds tell. */
function inMillionths(share: number): number {
  return Math.round(share * 1e6) / 1e6;
}
