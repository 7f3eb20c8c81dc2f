// What no rounds over the requests of a plan can have been: how tokens, steps and samples of decode steps fit each other.

import { isDeepStrictEqual } from "node:util";
import type { Plan } from "../../plan/plan.ts";
import { schedulerOptionsOf } from "../../program/serving/scheduler_options.ts";
import type { StepSample } from "../../measure/sample.ts";
import type { ServedRound } from "../../measure/serving.ts";

/** Of a whole, what adding up its parts may lose. */
const rounding = 1e-6;

/** In sentences without a full stop, each with the path of what it is about; empty where all fits. */
export function servedContradictions(
  plan: Plan,
  rounds: readonly ServedRound[] | undefined,
  samples: readonly StepSample[],
): string[] {
  if (plan.workload.serving === undefined) {
    return rounds === undefined ? [] : ["served has rounds of a plan that serves nobody"];
  }
  if (rounds === undefined) return samples.length === 0 ? [] : ["served has no rounds"];
  return [
    ...rounds.flatMap((round, i) => inRound(plan, round, `served.${i}`)),
    ...betweenRounds(rounds, samples),
  ];
}

function inRound(plan: Plan, round: ServedRound, path: string): string[] {
  const { arrivals, outputTokens } = schedulerOptionsOf(plan);
  const { arrivalMs, tokenMs, wallMs, prefillSteps, decodeSteps, pagesUsed, pages } = round;
  const broken = tokenMs.findIndex((tokens, request) => {
    const times = [arrivalMs[request] ?? 0, ...tokens, wallMs];
    return times.some((at, i) => i > 0 && at < (times[i - 1] ?? 0));
  });
  const last = Math.max(...tokenMs.map((tokens) => tokens.at(-1) ?? 0));
  return [
    ...(isDeepStrictEqual(arrivalMs, arrivals)
      ? []
      : [`${path}.arrivalMs are not those of the plan's requests`]),
    ...(tokenMs.length === arrivals.length &&
    tokenMs.every((tokens) => tokens.length === outputTokens)
      ? []
      : [`${path}.tokenMs has not ${outputTokens} tokens of each of ${arrivals.length} requests`]),
    ...(broken < 0 ? [] : [`${path}.tokenMs.${broken} are not in order, from arrival to end`]),
    ...(last === wallMs ? [] : [`${path}.wallMs is ${wallMs}, and the last token came at ${last}`]),
    // A token for each step at least, and a step for each place of a token.
    ...(prefillSteps >= 1 && decodeSteps >= outputTokens - 1
      ? []
      : [`${path} has ${prefillSteps} and ${decodeSteps} steps, too few for its tokens`]),
    ...(pagesUsed <= pages ? [] : [`${path} used ${pagesUsed} of ${pages} pages`]),
  ];
}

/** Samples are of the rounds' decode steps, each within its round's wall. */
function betweenRounds(rounds: readonly ServedRound[], samples: readonly StepSample[]): string[] {
  const runs = [...new Set([...rounds.map(({ run }) => run), ...samples.map(({ run }) => run)])];
  return runs.flatMap((run) => {
    const own = rounds.filter((round) => round.run === run);
    const ofRun = samples.filter((sample) => sample.run === run);
    const steps = own.reduce((sum, { decodeSteps }) => sum + decodeSteps, 0);
    const wallMs = own.reduce((sum, round) => sum + round.wallMs, 0);
    const sampledMs = ofRun.reduce((sum, sample) => sum + sample.wallMs, 0);
    return [
      ...(ofRun.length === steps
        ? []
        : [`run ${run} served ${steps} decode steps, and has samples of ${ofRun.length}`]),
      ...(sampledMs <= wallMs * (1 + rounding)
        ? []
        : [`decode steps of run ${run} took ${sampledMs} ms of rounds of ${wallMs} ms`]),
    ];
  });
}
