// All requests of a plan served once on its ranks, step by step. The clock is the wall of steps, one after the other:
// what the harness does between two steps takes no time on it, and waiting for a request rounds at once.

import type { ServedRound } from "../../measure/serving.ts";
import { wholeNanoseconds } from "../../measure/sample.ts";
import {
  createScheduler,
  type Scheduler,
  type SchedulerOptions,
  tokensGivenBy,
} from "../../program/serving/scheduler.ts";
import type { SampledTokens } from "../../program/serving/sampled_tokens.ts";
import type { ServedStep } from "../../program/serving/served.ts";
import type { StepTrace } from "../../program/trace.ts";
import type { RankPool } from "../../runtime/rank_pool.ts";

export interface Round extends Omit<ServedRound, "run" | "pages"> {
  readonly steps: readonly ServedStep[];
}

export type OnStep = (step: ServedStep, trace: StepTrace) => void;

/** So many steps are asked for at once as take about that long. */
const togetherMs = 50;
const mostTogether = 64;

/** Steps as they come, each chosen when the one before is over. @param tokens of a plan that samples */
export async function serveLive(
  pool: Pick<RankPool, "serve">,
  options: SchedulerOptions,
  onStep: OnStep,
  tokens?: SampledTokens,
): Promise<Round> {
  const scheduler = createScheduler(options);
  const clock = createClock(options);
  const steps: ServedStep[] = [];
  for (;;) {
    const next = scheduler.next(clock.nowMs());
    if (next === undefined) return clock.round(steps);
    if (!("step" in next)) {
      clock.waitUntil(next.idleUntilMs);
      continue;
    }
    const step = tokens?.given(next.step) ?? next.step;
    steps.push(step);
    const [trace] = await pool.serve([step], (of, shown) => tokens?.take(of, shown));
    if (trace === undefined) throw new Error("a step left no trace");
    clock.over(step, trace, scheduler);
    onStep(step, trace);
  }
}

/** The same steps again; none begins before its requests have come. */
export async function serveAgain(
  pool: Pick<RankPool, "serve">,
  options: SchedulerOptions,
  before: Round,
  onStep: OnStep,
): Promise<Round> {
  const clock = createClock(options, before.pagesUsed);
  const { steps } = before;
  const perStepMs = before.wallMs / steps.length;
  const together = Math.max(1, Math.min(mostTogether, Math.floor(togetherMs / perStepMs)));
  for (let first = 0; first < steps.length; first += together) {
    const wanted = steps.slice(first, first + together);
    const traces = await pool.serve(wanted);
    for (const [i, step] of wanted.entries()) {
      const trace = traces[i];
      if (trace === undefined) throw new Error("a step left no trace");
      const come = step.slots.map((served) =>
        served === undefined ? 0 : (options.arrivals[served.request] ?? 0),
      );
      clock.waitUntil(Math.max(0, ...come));
      clock.over(step, trace);
      onStep(step, trace);
    }
  }
  return clock.round(steps);
}

function createClock(options: SchedulerOptions, knownPages = 0) {
  const { arrivals } = options;
  const tokenMs = arrivals.map((): number[] => []);
  let nowMs = 0;
  let pagesUsed = knownPages;
  return {
    nowMs: () => nowMs,
    waitUntil(ms: number): void {
      nowMs = Math.max(nowMs, ms);
    },
    over(step: ServedStep, { wallMs }: StepTrace, scheduler?: Scheduler): void {
      nowMs = wholeNanoseconds(nowMs + wallMs);
      pagesUsed = Math.max(pagesUsed, scheduler?.pagesInUse() ?? 0);
      for (const request of tokensGivenBy(step, options)) tokenMs[request]?.push(nowMs);
    },
    round(steps: readonly ServedStep[]): Round {
      const prefillSteps = steps.filter(({ phase }) => phase === "prefill").length;
      return {
        steps,
        arrivalMs: arrivals,
        tokenMs,
        prefillSteps,
        decodeSteps: steps.length - prefillSteps,
        wallMs: nowMs,
        pagesUsed,
      };
    },
  };
}
