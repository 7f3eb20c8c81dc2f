// The largest faithful reduction of a plan that fits a machine. Dimensions go to their least in the order of the table
// until the plan fits; then each is restored as far as the limits let it, in the order of what a figure per layer
// depends on. What stays reduced is what the next larger size of it would exceed something by.

import { planErrors } from "../../check/check_plan.ts";
import { normalise } from "../../plan/normalise.ts";
import type { Plan } from "../../plan/plan.ts";
import { type Dimension, sizesDown } from "../../plan/scale/dimension.ts";
import { dimensions, rankDimensions, restored, scalePlan } from "../../plan/scale/scale_plan.ts";
import type { PlanFile } from "../../plan/schema.ts";
import { planHash, workHash } from "../../result/plan_hash.ts";
import type { Exceeded, ScaleReduction, ScaledRecord } from "../../result/result.ts";
import { costOf, exceededBy, type RunCost } from "./cost.ts";
import type { Machine } from "./machine.ts";

export interface FitOptions {
  /** ms of a whole run. Default: 60,000. */
  readonly timeMs?: number;
  /** ms of timed steps, where that was asked for. */
  readonly samplingMs?: number;
}

export interface Fit {
  /** The full plan itself where nothing had to go. */
  readonly file: PlanFile;
  readonly plan: Plan;
  readonly reductions: readonly ScaleReduction[];
  /** Dimensions that stay as they are, by name. */
  readonly kept: readonly { readonly dimension: string; readonly size: number }[];
  readonly cost: RunCost;
  /** Empty, unless even the least plan does not fit. */
  readonly exceeded: readonly Exceeded[];
}

const usualTimeMs = 60_000;

/** A plan with some sizes. */
interface Attempt {
  readonly file: PlanFile;
  /** Absent where the sizes do not divide. */
  readonly plan?: Plan;
  /** Looked at once, when it is asked for. */
  readonly cost: () => RunCost;
  readonly exceeded: () => readonly Exceeded[];
}

type Sizes = ReadonlyMap<Dimension, number>;

/** @param full as it was written, a sound plan */
export function fitPlan(full: PlanFile, machine: Machine, options: FitOptions = {}): Fit {
  const attempt = createAttempts(full, machine, options);
  const possible = dimensions.filter((dimension) => dimension.full(full) !== undefined);
  const sizes = new Map<Dimension, number>();
  const lessen = (dimension: Dimension): void => {
    sizes.set(dimension, dimension.least(attempt(sizes).file));
    if (attempt(sizes).plan === undefined) sizes.delete(dimension);
  };
  const mayRun = (): boolean => attempt(sizes).file.hardware.gpus <= machine.mostRanks;
  for (const dimension of possible) {
    if (rankDimensions.includes(dimension) && !mayRun()) lessen(dimension);
  }
  for (const dimension of possible) {
    if (!sizes.has(dimension) && attempt(sizes).exceeded().length > 0) lessen(dimension);
  }
  const reasons = new Map<Dimension, readonly Exceeded[]>();
  for (const dimension of restored.filter((each) => sizes.has(each))) {
    const { size, next } = largestThatFits(dimension, full, sizes, attempt);
    sizes.set(dimension, size);
    reasons.set(dimension, next);
  }
  return outcomeOf(full, possible, attempt(sizes), reasons);
}

/** What a result keeps of it; undefined where nothing had to go. */
export function scaledRecord(full: PlanFile, fit: Fit): ScaledRecord | undefined {
  const { plan } = normalise(full);
  const { file: ran, reductions, kept } = fit;
  if (reductions.length === 0 || plan === undefined) return undefined;
  return { full, hash: planHash(plan), workHash: workHash(plan), ran, reductions, kept };
}

/** Each plan is looked at once. */
function createAttempts(
  full: PlanFile,
  machine: Machine,
  { timeMs = usualTimeMs, samplingMs }: FitOptions,
): (sizes: Sizes) => Attempt {
  const known = new Map<string, Attempt>();
  return (sizes) => {
    const file = scalePlan(full, sizes);
    const key = JSON.stringify(file);
    const attempt = known.get(key) ?? attemptOf(file, machine, timeMs, samplingMs);
    known.set(key, attempt);
    return attempt;
  };
}

function attemptOf(
  file: PlanFile,
  machine: Machine,
  timeMs: number,
  samplingMs: number | undefined,
): Attempt {
  const plan = soundPlan(file);
  let cost: RunCost | undefined;
  const costOnce = (): RunCost => {
    if (plan === undefined) throw new Error("a plan whose sizes do not divide costs nothing");
    return (cost ??= costOf(plan, machine, samplingMs));
  };
  return {
    file,
    ...(plan === undefined ? {} : { plan }),
    cost: costOnce,
    exceeded: () => exceededBy(costOnce(), machine, timeMs),
  };
}

/** Claims are of the full plan. */
function soundPlan(file: PlanFile): Plan | undefined {
  const { plan, diagnostics } = normalise(file);
  if (plan === undefined || diagnostics.some(({ severity }) => severity === "error")) {
    return undefined;
  }
  const document = {
    file: file.name,
    text: "",
    format: "json",
    value: file,
    written: file,
  } as const;
  return planErrors(plan, document).some(({ path }) => path[0] !== "claims") ? undefined : plan;
}

/** The largest size with which the plan fits, everything else as it is; found by halving: larger plans take more. */
function largestThatFits(
  dimension: Dimension,
  full: PlanFile,
  sizes: Sizes,
  attempt: (sizes: Sizes) => Attempt,
): { readonly size: number; readonly next: readonly Exceeded[] } {
  const at = (size: number): Attempt => attempt(new Map([...sizes, [dimension, size]]));
  const least = sizes.get(dimension) ?? 1;
  const distinct = new Map(
    sizesDown(dimension.full(full) ?? least, least)
      .filter((size) => at(size).plan !== undefined)
      .map((size) => [at(size), size] as const),
  );
  const legal = [...distinct];
  let [tooLarge, fits] = [-1, legal.length - 1];
  while (fits - tooLarge > 1) {
    const middle = (fits + tooLarge) >> 1;
    if (legal[middle]?.[0].exceeded().length === 0) fits = middle;
    else tooLarge = middle;
  }
  return { size: legal[fits]?.[1] ?? least, next: legal[tooLarge]?.[0].exceeded() ?? [] };
}

function outcomeOf(
  full: PlanFile,
  possible: readonly Dimension[],
  { file, plan, cost, exceeded }: Attempt,
  reasons: ReadonlyMap<Dimension, readonly Exceeded[]>,
): Fit {
  if (plan === undefined) throw new Error("sizes that do not divide were taken");
  const compared = possible.map((dimension) => ({
    dimension,
    before: dimension.full(full) ?? 1,
    after: dimension.full(file) ?? 1,
  }));
  return {
    file,
    plan,
    reductions: compared.flatMap(({ dimension, before, after }) =>
      before === after
        ? []
        : [
            {
              dimension: dimension.name,
              full: before,
              scaled: after,
              because: reasons.get(dimension) ?? [],
              ...(dimension.changesLayers === undefined
                ? {}
                : { changesLayers: dimension.changesLayers }),
            },
          ],
    ),
    kept: compared.flatMap(({ dimension, before, after }) =>
      before === after ? [{ dimension: dimension.name, size: after }] : [],
    ),
    cost: cost(),
    exceeded: exceeded(),
  };
}
