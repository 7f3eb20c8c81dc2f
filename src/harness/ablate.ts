// What each technique of a plan is worth here: the plan and the same without it, open beside each other on the same ranks,
// checked, and timed in turn.

import { setImmediate } from "node:timers/promises";
import { EnvironmentError } from "../environment_error.ts";
import { discoverAdapters } from "../gpu/discover.ts";
import { placeRanks } from "../gpu/placement.ts";
import { seededRandom } from "../seeded_random.ts";
import { shuffled } from "../shuffled.ts";
import type { Plan } from "../plan/plan.ts";
import type { Program } from "../program/program.ts";
import type { StepTrace } from "../program/trace.ts";
import { type AblatedVariant, type Ablation, ablationKind } from "../result/ablation.ts";
import { workHash } from "../result/plan_hash.ts";
import { readVersions } from "../result/versions.ts";
import { openRanks } from "../runtime/coordinator.ts";
import type { RankPool } from "../runtime/rank_pool.ts";
import { effectsOf, spentBy } from "./ablation_effects.ts";
import { ablationVariants, type AblationVariant, runVariants } from "./ablation_variants.ts";
import { observeOn } from "./observe.ts";
import { rankAdapters } from "./record.ts";
import type { RunOptions } from "./run_options.ts";
import { checkTimedSteps } from "./timed_steps.ts";
import { type Observe, type Verification, verify } from "./verify.ts";

export interface AblateOptions extends Pick<
  RunOptions,
  "adapter" | "placement" | "pin" | "link" | "onProgress" | "signal" | "check"
> {
  /** Steps of each variant. Default: as many as `budgetMs` allows, at least 7. */
  readonly rounds?: number;
  /** Of all variants together. Default 20,000. */
  readonly budgetMs?: number;
}

/** For an interval of the median of ratios that may decide something. */
const least = 7;
const most = 100;
const defaultBudgetMs = 20_000;

/**
 * All kernels take their usual variants: what tuning found out of one program would favor it.
 *
 * @throws EnvironmentError where the machine is in the way
 * @throws NumericsError where one of the variants is wrong; nothing was timed then
 */
export async function ablate(plan: Plan, options: AblateOptions = {}): Promise<Ablation> {
  const { onProgress = () => undefined, signal, pin, link } = options;
  refuseServing(plan);
  onProgress({ phase: "adapters" });
  const variants = ablationVariants(plan);
  const { asItIs } = variants;
  const [, ...others] = runVariants(variants);
  const { adapters, refused } = await discoverAdapters();
  const placement = placeRanks(asItIs.program.ranks.length, adapters, { ...options, refused });
  onProgress({ phase: "ranks", total: placement.length });
  const pool = await openRanks(asItIs.program, placement, {
    twins: others.map(({ program }) => program),
    ...(signal === undefined ? {} : { signal }),
    ...(pin === undefined ? {} : { pinToCores: pin }),
    ...(link === undefined ? {} : { link }),
  });
  try {
    const open = [asItIs];
    for (const other of others) if (await pool.openTwin(other.program)) open.push(other);
    const programs = open.map(({ program }) => program);
    const observe = observeOn(pool, asItIs.program, placement, options, programs.slice(1));
    const checked = await checkEach(open, observe, options);
    const stepMs = await timeInTurn(pool, programs, options);
    await checkTimed(pool, open, checked, stepMs);
    const measured = open.map((variant, i) => ablated(variant, checked[i], stepMs[i] ?? []));
    return {
      kind: ablationKind,
      version: 1,
      name: plan.name,
      work: workHash(plan),
      date: new Date().toISOString(),
      versions: readVersions(),
      adapters: rankAdapters(placement, pin),
      variants: measured,
      ...effectsOf(variants, measured),
    };
  } finally {
    await pool.close();
  }
}

function refuseServing({ workload, name }: Plan): void {
  if (workload.mode !== "serving") return;
  throw new EnvironmentError(
    "not-ablated",
    `${name} serves: rounds of requests are not taken in turn here`,
    "ablate its model in inference or training",
  );
}

async function checkEach(
  open: readonly AblationVariant[],
  observe: Observe,
  { onProgress, check = "auto" }: AblateOptions,
): Promise<Verification[]> {
  const checked: Verification[] = [];
  for (const { plan, program } of open) {
    onProgress?.({ phase: "check", done: checked.length, total: open.length });
    checked.push(await verify(plan, program, check, observe, noPause));
  }
  return checked;
}

async function noPause(): Promise<void> {
  await setImmediate();
}

/** By program, ms of one step in each round. The order within a round is drawn anew each time. */
async function timeInTurn(
  pool: RankPool,
  programs: readonly Program[],
  { onProgress, rounds, budgetMs = defaultBudgetMs }: AblateOptions,
): Promise<number[][]> {
  const [own] = programs;
  const step = async (program: Program): Promise<StepTrace> =>
    program === own ? pool.step() : pool.stepTwin(program);
  onProgress?.({ phase: "warm-up" });
  for (const program of programs) await step(program);
  const random = seededRandom(1);
  const stepMs = programs.map((): number[] => []);
  const begun = performance.now();
  for (let round = 0; round < (rounds ?? most); round++) {
    if (rounds === undefined && round >= least && performance.now() - begun > budgetMs) break;
    onProgress?.({
      phase: "measure",
      done: round,
      ...(rounds === undefined ? {} : { total: rounds }),
    });
    for (const at of shuffled(programs.length, random)) {
      const program = programs[at];
      if (program !== undefined) stepMs[at]?.push((await step(program)).wallMs);
    }
  }
  return stepMs;
}

/** @throws NumericsError where a timed step left another result than the checked one */
async function checkTimed(
  pool: RankPool,
  open: readonly AblationVariant[],
  checked: readonly Verification[],
  stepMs: readonly (readonly number[])[],
): Promise<void> {
  for (const [i, { program }] of open.entries()) {
    const digests = i === 0 ? await pool.askAll("digests", {}) : await pool.digestsOfTwin(program);
    checkTimedSteps(checked[i]?.observed ?? [], digests, stepMs[i]?.length ?? 0);
  }
}

function ablated(
  variant: AblationVariant,
  checked: Verification | undefined,
  stepMs: readonly number[],
): AblatedVariant {
  if (checked === undefined) throw new Error(`${variant.plan.name} was not checked`);
  const { error, tolerance, training } = checked.outcome;
  return {
    off: variant.off,
    stepMs,
    ...spentBy(variant),
    error,
    tolerance,
    ...(training === undefined
      ? {}
      : {
          training: {
            loss: training.loss,
            lossError: training.lossError,
            gradientError: training.error,
          },
        }),
  };
}
