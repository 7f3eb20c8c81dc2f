// Numerics of serving: what prefill and decode leave at every token is held against whole sequences without caches in
// f64; where that would take too long, against the same requests served by one rank. Of some steps every instruction is
// held against its operands besides.

import { NumericsError } from "../../numerics_error.ts";
import type { Plan } from "../../plan/plan.ts";
import { estimatePlan } from "../../program/estimate.ts";
import { lower, phaseOf } from "../../program/lower.ts";
import type { ContentSource } from "../../program/content_source.ts";
import type { Program } from "../../program/program.ts";
import { replicasOfCaches, sequencePlan } from "../../program/serving/phase_plan.ts";
import { createScheduler } from "../../program/serving/scheduler.ts";
import { schedulerOptionsOf } from "../../program/serving/scheduler_options.ts";
import { sampledSource } from "../../program/serving/sampled_source.ts";
import { createSampledTokens, type SampledTokens } from "../../program/serving/sampled_tokens.ts";
import type { ServedStep } from "../../program/serving/served.ts";
import { unshard } from "../../program/unshard.ts";
import { expectedError } from "../../reference/expected_error.ts";
import { forward } from "../../reference/forward.ts";
import type { CheckedKind, CheckOutcome } from "../../result/check_outcome.ts";
import { bothOf, type KindCheck } from "../../runtime/check/rank_check.ts";
import type { ObserveOptions } from "../../runtime/observation.ts";
import type { RankPool } from "../../runtime/rank_pool.ts";
import { checkedKinds } from "../checked_kinds.ts";
import { accept, acceptedError, type CheckMethod, referenceFlops } from "../verify.ts";
import { refuseOtherTimed } from "./served_digests.ts";
import { createDigestSteps } from "./time_served.ts";
import {
  assembleServed,
  routesOfStep,
  placesShown,
  type RowsByPlace,
  rowsOfMatrix,
  type ServedResults,
  type ShownStep,
  wholeRoutes,
} from "./assemble_served.ts";

/** Ranks that serve. */
export type ServingRanks = Pick<RankPool, "observe" | "askAll" | "serve">;

export interface CheckServed {
  readonly plan: Plan;
  /** Lowered from `plan`. */
  readonly program: Program;
  readonly ranks: ServingRanks;
  readonly method: CheckMethod;
  /** Of weights and inputs. */
  readonly source: ContentSource;
  /** Opens ranks of another program for as long as the work takes. */
  readonly withRanks: <Found>(
    program: Program,
    work: (ranks: ServingRanks) => Promise<Found>,
  ) => Promise<Found>;
  readonly pause: () => Promise<void>;
}

/** Decode steps that two runs are compared over. */
const comparedDecodeSteps = 8;

/** @throws NumericsError when a result is wrong */
export async function checkServed(given: CheckServed): Promise<CheckOutcome> {
  const { plan, method } = given;
  const affordable = affordableRequests(plan);
  return method === "unsharded" || (method === "auto" && affordable === 0)
    ? againstUnsharded(given)
    : againstSequences(given, Math.max(1, affordable));
}

/** Requests whose whole sequences the reference can compute, at most all. */
function affordableRequests(plan: Plan): number {
  const { modelFlops } = estimatePlan(unshard(sequencePlan(plan, 1)));
  const { requests = 1 } = plan.workload.serving ?? {};
  return Math.min(requests, Math.floor(referenceFlops / modelFlops));
}

/** All steps of the first requests, all there at the beginning. */
function stepsOf(plan: Plan, requests: number): ServedStep[] {
  const arrivals = Array.from({ length: requests }, () => 0);
  const scheduler = createScheduler({ ...schedulerOptionsOf(plan), arrivals });
  const steps: ServedStep[] = [];
  for (let next = scheduler.next(0); next !== undefined; next = scheduler.next(0)) {
    if (!("step" in next)) break;
    steps.push(next.step);
  }
  return steps;
}

async function againstSequences(given: CheckServed, requests: number): Promise<CheckOutcome> {
  const { plan, program, source, pause } = given;
  const tokens = plan.workload.sequence;
  const steps = stepsOf(plan, requests);
  const { shown, tokens: sampled, ...instructions } = await runChecked(given, steps, "brief");
  const results = assembleServed(program, tokens, shown);
  const whole = sequencePlan(plan, requests);
  const routes = wholeRoutes(results, requests * tokens);
  const read = sampled === undefined ? source : sampledSource(source, sampled, tokens);
  const expected = await forward(whole, 0, routes, read, pause);
  const accepted = expectedError(whole);
  if (expected.routingGap > accepted.routing) {
    throw new NumericsError(
      `an expert was chosen whose logit is ${expected.routingGap.toExponential(1)} below one that was left out`,
      expected.routingGap,
      accepted.routing,
    );
  }
  const { choices, reroutedChoices } = expected;
  return accept({
    method: "oracle",
    ...compare(results, rowsOfMatrix(expected.output, placesShown(program, tokens, steps))),
    tolerance: acceptedError(plan, "oracle"),
    compared: `prefill and decode of ${requests} requests against their whole sequences in f64`,
    ...(choices === 0 ? {} : { routing: { agreeing: choices - reroutedChoices, total: choices } }),
    ...instructions,
  });
}

async function againstUnsharded(given: CheckServed): Promise<CheckOutcome> {
  const { plan, program } = given;
  const tokens = plan.workload.sequence;
  const requests = Math.min(replicasOfCaches(plan), plan.workload.serving?.requests ?? 1);
  const first = (steps: readonly ServedStep[]): ServedStep[] => {
    const end = steps.findIndex(
      (_, at) =>
        steps.slice(0, at).filter(({ phase }) => phase === "decode").length === comparedDecodeSteps,
    );
    return steps.slice(0, end < 0 ? steps.length : end);
  };
  const steps = first(stepsOf(plan, requests));
  const { shown, tokens: sampled, ...instructions } = await runChecked(given, steps, "thorough");
  const results = assembleServed(program, tokens, shown);
  const alone = unshard(plan);
  const other = lower(alone);
  const found = await given.withRanks(other, async (ranks) => {
    const ofOne = first(stepsOf(alone, requests)).map((step) => sampled?.given(step) ?? step);
    const routes = (step: ServedStep) => ({ routes: routesOfStep(other, tokens, step, results) });
    const run = await runSteps({ program: other, ranks }, ofOne, undefined, routes);
    return assembleServed(other, tokens, run.shown);
  });
  const [expected] = found.outputs;
  if (expected === undefined)
    throw new NumericsError("the unsharded run shows nothing", Infinity, 0);
  return accept({
    method: "unsharded+freivalds",
    ...compare(results, expected),
    tolerance: acceptedError(plan, "unsharded+freivalds"),
    compared: `prefill and ${comparedDecodeSteps} decode steps of ${requests} requests against an unsharded run`,
    ...instructions,
  });
}

/** Every row of every copy, and none besides. */
function compare(
  { outputs }: ServedResults,
  expected: RowsByPlace<Float64Array>,
): Pick<CheckOutcome, "error" | "values"> {
  let [difference, scale, values] = [0, 0, 0];
  for (const row of expected.values()) {
    for (const value of row) scale = Math.max(scale, Math.abs(value));
  }
  for (const rows of outputs) {
    if (rows.size !== expected.size) return { error: Infinity, values };
    for (const [place, right] of expected) {
      const row = rows.get(place);
      for (const [column, value] of right.entries()) {
        const off = Math.abs(value - (row?.[column] ?? Number.NaN));
        // NaN fails every comparison.
        if (!(off <= difference)) difference = Number.isNaN(off) ? Infinity : off;
        values += 1;
      }
    }
  }
  return { error: difference / (scale === 0 ? 1 : scale), values };
}

interface Run {
  readonly shown: readonly ShownStep[];
  readonly kinds: readonly CheckedKind[];
  readonly notChecked: readonly string[];
}

/** Steps whose results are looked at, and then again as they are timed. */
async function runChecked(
  { plan, program, ranks }: Pick<CheckServed, "plan" | "program" | "ranks">,
  steps: readonly ServedStep[],
  check: "brief" | "thorough",
): Promise<Run & { readonly tokens: SampledTokens | undefined }> {
  const digestSteps = createDigestSteps(ranks);
  await digestSteps();
  const tokens = createSampledTokens(plan, program);
  const run = await runSteps({ program, ranks, tokens }, steps, check);
  const ran = run.shown.map(({ step }) => step);
  await refuseOtherTimed(ranks, ran, digestSteps);
  return { ...run, tokens };
}

/** @param check of the instructions of some steps: the first and the last of each phase, and one decode step between */
async function runSteps(
  {
    program,
    ranks,
    tokens,
  }: Pick<CheckServed, "program" | "ranks"> & { readonly tokens?: SampledTokens | undefined },
  steps: readonly ServedStep[],
  check: "brief" | "thorough" | undefined,
  optionsOf: (step: ServedStep) => ObserveOptions = () => ({}),
): Promise<Run> {
  const looked = check === undefined ? new Set<number>() : lookedAt(steps);
  const shown: ShownStep[] = [];
  const kinds = new Map<string, KindCheck>();
  const notChecked = new Set<string>();
  await ranks.askAll("emptyCaches", {});
  for (const [at, scheduled] of steps.entries()) {
    const step = tokens?.given(scheduled) ?? scheduled;
    const isLooked = looked.has(at) && check !== undefined;
    const options = { ...optionsOf(step), served: step, ...(isLooked ? { check } : {}) };
    const found = await ranks.observe(options);
    const observed = found.flatMap((rank) => rank.observed);
    tokens?.take(step, observed);
    shown.push({ step, observed });
    if (!isLooked) continue;
    const checks = found.flatMap((rank) => rank.check ?? []);
    if (checks.length !== program.ranks.length) {
      throw new NumericsError("not all ranks checked their step", Infinity, 0);
    }
    const own = checkedKinds(phaseOf(program, step.phase), checks);
    for (const kind of own.kinds) {
      const before = kinds.get(kind.kind);
      kinds.set(kind.kind, before === undefined ? kind : bothOf(before, kind));
    }
    for (const each of own.notChecked) notChecked.add(each);
  }
  if (looked.size < steps.length && check !== undefined) {
    notChecked.add(
      `instructions of ${steps.length - looked.size} of ${steps.length} steps, one by one`,
    );
  }
  return { shown, kinds: [...kinds.values()], notChecked: [...notChecked] };
}

function lookedAt(steps: readonly ServedStep[]): Set<number> {
  const of = (phase: ServedStep["phase"]): number[] =>
    steps.flatMap((step, at) => (step.phase === phase ? [at] : []));
  const [prefill, decode] = [of("prefill"), of("decode")];
  const chosen = [prefill[0], prefill.at(-1), decode[0], decode[decode.length >> 1], decode.at(-1)];
  return new Set(chosen.flatMap((at) => at ?? []));
}
