// Step time of decode against context: every slot has a request with as many tokens cached, and the same step is taken
// again and again, on caches of one size for all contexts. What lies in the caches is made from a seed, as if it had been
// prefilled: a step costs the same whatever its numbers are, and each instruction is held against these numbers first.

import { isDeepStrictEqual } from "node:util";
import { EnvironmentError } from "../../environment_error.ts";
import { kernelOf } from "../../kernels/catalog.ts";
import { lengthOf, merge, type TimeRange } from "../../measure/intervals.ts";
import type { CurvePoint } from "../../measure/decode_curve.ts";
import { wholeNanoseconds } from "../../measure/sample.ts";
import { NumericsError } from "../../numerics_error.ts";
import type { Plan } from "../../plan/plan.ts";
import { pagesOf } from "../../plan/serving.ts";
import { lower, phaseOf } from "../../program/lower.ts";
import type { Program } from "../../program/program.ts";
import { schedulerOptionsOf } from "../../program/serving/scheduler_options.ts";
import type { ServedStep } from "../../program/serving/served.ts";
import type { StepTrace } from "../../program/trace.ts";
import type { RankPool } from "../../runtime/rank_pool.ts";
import { checkedKinds } from "../checked_kinds.ts";
import type { RunOptions } from "../run_options.ts";
import { createDigestSteps } from "./time_served.ts";

/** Ranks of the program that a curve is taken on. */
export type CurveRanks = Pick<RankPool, "observe" | "serve" | "askAll">;

export interface CurveProgram {
  readonly plan: Plan;
  readonly program: Program;
}

/** @throws EnvironmentError where the plan has no steps of decode, or no positions for such contexts */
export function refuseContexts(plan: Plan, contexts: readonly number[]): void {
  if (plan.workload.serving === undefined) {
    const message = `contexts are those of decode steps, and the plan's mode is ${plan.workload.mode}`;
    throw new EnvironmentError("does-not-fit", message, "set workload.mode to serving");
  }
  const positions = plan.stages
    .flatMap(({ layers }) => layers)
    .flatMap((layer) => (layer.op === "embedding" ? (layer.positions ?? []) : []));
  const most = Math.min(...positions.map(({ count, offset = 0 }) => count - offset));
  const longest = Math.max(...contexts);
  if (longest <= most) return;
  const message = `the model has learned positions for ${most} tokens, and a context has ${longest}`;
  throw new EnvironmentError("does-not-fit", message, "choose shorter contexts");
}

/** The plan with room for the longest context in each slot, and nothing else to do. */
export function curveProgram(plan: Plan, contexts: readonly number[]): CurveProgram {
  const { workload } = plan;
  const { serving } = workload;
  if (serving === undefined) throw new Error(`${plan.name} serves nobody`);
  const sequence = Math.max(2, ...contexts);
  const { requestsPerSecond: _, ...scheduler } = serving.scheduler;
  const lengths = { inputTokens: sequence - 1, outputTokens: 2, prefillChunk: 1 };
  const own: Plan = {
    ...plan,
    claims: {},
    workload: {
      ...workload,
      sequence,
      serving: { ...serving, ...lengths, requests: workload.batch, scheduler },
    },
  };
  return { plan: own, program: lower(own) };
}

/** A decode step as steps are on average: every slot has a request, half of whose tokens are given out. */
export function usualStep(plan: Plan): ServedStep {
  const { inputTokens = 1, outputTokens = 2 } = plan.workload.serving ?? {};
  return stepAt({ plan }, inputTokens + (outputTokens >> 1));
}

/** A step in which every request has its last token at that context. */
export function stepAt({ plan }: Pick<CurveProgram, "plan">, context: number): ServedStep {
  const { serving, sequence } = plan.workload;
  const pages = serving === undefined ? 0 : pagesOf(serving, sequence).pages;
  const taken = new Map<number, number>();
  const slots = schedulerOptionsOf(plan).decodeSlots.map((replica, request) => {
    const before = taken.get(replica) ?? 0;
    taken.set(replica, before + 1);
    return {
      request,
      first: context - 1,
      tokens: 1,
      pages: Array.from({ length: pages }, (_, page) => before * pages + page),
    };
  });
  return { phase: "decode", slots };
}

const warmups = 4;
const leastSamples = 5;
const together = 8;

/** @throws NumericsError where an instruction, or a step of those that are timed, gives another result */
export async function takeCurve(
  curve: CurveProgram,
  ranks: CurveRanks,
  contexts: readonly number[],
  { onProgress = () => undefined, budgetMs = 5000, samples }: RunOptions,
): Promise<CurvePoint[]> {
  const decode = phaseOf(curve.program, "decode");
  const digestsOf = createDigestSteps(ranks);
  const points: CurvePoint[] = [];
  await ranks.askAll("fillCaches", {});
  for (const context of contexts) {
    onProgress({ phase: "contexts", done: points.length, total: contexts.length });
    const step = stepAt(curve, context);
    const found = await ranks.observe({ served: step, check: "brief" });
    checkedKinds(
      decode,
      found.flatMap((rank) => rank.check ?? []),
    );
    await digestsOf();
    await ranks.serve([step]);
    const once = await digestsOf();
    await ranks.serve(Array.from({ length: warmups }, () => step));
    const kept: StepTrace[] = [];
    const begun = performance.now();
    const isOver = (): boolean =>
      samples === undefined
        ? kept.length >= leastSamples &&
          performance.now() - begun > Math.max(1, budgetMs / contexts.length)
        : kept.length >= samples;
    while (!isOver()) {
      kept.push(...(await ranks.serve(Array.from({ length: together }, () => step))));
    }
    const grown = await digestsOf();
    const expected = once.map((sums) =>
      sums.map((sum) => Math.imul(sum, warmups + kept.length) >>> 0),
    );
    if (!isDeepStrictEqual(grown, expected)) {
      throw new NumericsError(
        `equal steps at context ${context} left unequal results`,
        Infinity,
        0,
      );
    }
    points.push(pointOf(decode, context, kept));
  }
  return points;
}

function pointOf(decode: Program, context: number, traces: readonly StepTrace[]): CurvePoint {
  const attention = traces.flatMap((trace) => attentionMs(decode, trace) ?? []);
  return {
    context,
    wallMs: traces.map(({ wallMs }) => wholeNanoseconds(wallMs)),
    ...(attention.length === traces.length ? { attentionMs: attention } : {}),
    attentionBytes: attentionBytes(decode, context),
  };
}

function isOverCache({ ranks }: Program, rank: number, instruction: number | undefined): boolean {
  const found = ranks[rank]?.instructions[instruction ?? -1];
  return (
    found?.op === "kernel" &&
    (found.kernel === "attend_cache" || found.kernel === "combine_attention")
  );
}

/** Time in which any rank attends to its cache; undefined where kernels are not timed one by one. */
function attentionMs(decode: Program, { ranks }: StepTrace): number | undefined {
  const spans = ranks.flatMap(({ rank, spans: own }) =>
    own
      .filter(
        ({ kind, instruction }) => kind === "compute" && isOverCache(decode, rank, instruction),
      )
      .map(({ startMs, endMs }): TimeRange => [startMs, endMs]),
  );
  return spans.length === 0 ? undefined : wholeNanoseconds(lengthOf(merge(spans)));
}

/** Of all ranks in a step: what attention must read and write at that context. */
function attentionBytes({ ranks, dtype }: Program, context: number): number {
  return ranks
    .flatMap(({ instructions }) => instructions)
    .reduce((sum, each) => {
      if (each.op !== "kernel") return sum;
      if (each.kernel !== "attend_cache" && each.kernel !== "combine_attention") return sum;
      const { window = Infinity, chunk = Infinity } = each.shape;
      const inChunk = chunk === Infinity ? context : ((context - 1) % chunk) + 1;
      const expectedKeys = Math.min(context, window, inChunk);
      const shape = { ...each.shape, expectedKeys };
      return sum + kernelOf({ kernel: each.kernel, shape }).bytes(shape, dtype);
    }, 0);
}
