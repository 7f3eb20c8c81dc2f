// Looks for better splits of a plan: every candidate has bounds, those that may be best are predicted first, and whatever
// the bounds show to be no better than what was found is never looked at. What comes out has passed the check and fits.

import { planErrors } from "../check/check_plan.ts";
import { withoutLostAssumed } from "../plan/assumed.ts";
import type { Plan } from "../plan/plan.ts";
import type { PlanFile } from "../plan/schema.ts";
import type { Peaks } from "../program/bound.ts";
import { estimatePlan, type PlanEstimate } from "../program/estimate.ts";
import { fullestNeed } from "../program/memory.ts";
import type { Overheads } from "../program/simulate/hardware_cost.ts";
import { simulateHardware } from "../program/simulate/simulate_hardware.ts";
import {
  boundFor,
  type CandidatePlan,
  fits,
  type FoundPlan,
  type Objective,
  objectives,
  type Space,
  valueFor,
} from "./candidate.ts";
import { degreeSpace } from "./degree_space.ts";
import { frontOf } from "./front.ts";
import { createLook, documentOf, type Look, type Refusals, soundPlan } from "./look.ts";
import { stageSpace } from "./stage_space.ts";

export interface SearchOptions {
  readonly peaks: Peaks;
  readonly overheads: Overheads;
  readonly objective: Objective;
  /** Plans to find. */
  readonly top: number;
  /** ms after which nothing more is predicted, counted or simulated, but the best so far; for tests 0 or ∞. */
  readonly budgetMs: number;
}

export interface Searched {
  /** By a simulation of every instruction; else of the schedule's slots, from the cost of a stage. */
  readonly isSimulated: boolean;
  readonly candidates: number;
  readonly removed: Removed;
  /** Candidates with a prediction. */
  readonly predicted: number;
  /** Absent where it is refused on these GPUs, or cannot be compared; it may need more memory than there is. */
  readonly given: FoundPlan | undefined;
  /** The best first. */
  readonly best: readonly FoundPlan[];
  /** None of them is beaten in step, latency and memory at once; the given plan among them where it fits and is not. */
  readonly front: readonly FoundPlan[];
}

/** How many candidates went, by what. */
export interface Removed extends Refusals {
  /** By bounds: they need more memory than there is, or can be no better than what was found. */
  readonly memory: number;
  readonly balance: number;
  readonly wire: number;
  /** They do not fit by far as predicted, or not as counted. */
  readonly tooLarge: number;
  /** There was no time for them: bounded, and not predicted or not counted. */
  readonly notLookedAt: number;
}

/** So many more than asked for are kept, as some may not fit when they are counted. */
const reserve = 2;
/** Layers times their ranks, over all plans that are simulated whole. */
const mostPlaces = 12_000;

/**
 * @param file as it was written, a plan with a meaning
 * @param plan of it
 */
export function search(file: PlanFile, plan: Plan, options: SearchOptions): Searched {
  const { peaks, overheads, objective, top } = options;
  const isOver = createDeadline(options.budgetMs);
  const { claims: _, ...unclaimed } = file;
  const space =
    file.stages === undefined
      ? degreeSpace(unclaimed, plan, peaks, overheads)
      : stageSpace(unclaimed, plan, peaks, overheads);
  const candidates = space.files.map((each): CandidatePlan => ({
    file: withoutLostAssumed(unclaimed, each),
    bounds: space.boundsOf(each),
  }));
  const memory = plan.hardware.memoryPerGpu ?? Infinity;
  const fitting = candidates.filter(({ bounds }) => bounds.memoryBytes <= memory);
  const look = createLook(space, memory, isOver);
  const main = bestOf(fitting, objective, reserve * top, look);
  const counts = look.counts();
  const extremes = objectives
    .filter((each) => each !== objective)
    .map((each) => bestOf(fitting, each, reserve, look).best);
  const verify = createVerify(memory, isOver);
  const best = verify.first(main.best, top);
  const others = extremes.flatMap((each) => (isOver() ? [] : verify.first(each, 1)));
  const given = givenPlan(unclaimed, plan, space);
  const all = [...new Set([...best, ...others])];
  const shown = [...(given === undefined ? [] : [given]), ...all];
  const simulated = isOver() ? undefined : simulateAll(shown, options);
  const own = given && simulated?.get(given);
  const resolved = (each: FoundPlan): FoundPlan => simulated?.get(each) ?? each;
  const ordered = best.map(resolved).toSorted(byValue(objective));
  return {
    isSimulated: simulated !== undefined,
    candidates: candidates.length,
    removed: {
      memory: candidates.length - fitting.length,
      ...main.removed,
      ...counts,
      tooLarge: counts.tooLarge + verify.tooLarge(),
      notLookedAt: main.removed.notLookedAt + verify.notCounted(),
    },
    predicted: look.predicted(),
    given: own ?? given,
    best: ordered,
    front: frontOf([...(given !== undefined && fits(given) ? [given] : []), ...all].map(resolved)),
  };
}

function byValue(objective: Objective) {
  return (a: FoundPlan, b: FoundPlan): number =>
    valueFor(objective, a.prediction) - valueFor(objective, b.prediction) ||
    a.prediction.stepMs - b.prediction.stepMs;
}

/** From now on. */
function createDeadline(budgetMs: number): () => boolean {
  const begun = performance.now();
  return () => performance.now() - begun > budgetMs;
}

interface BestFirst {
  readonly best: readonly FoundPlan[];
  readonly removed: Pick<Removed, "balance" | "wire" | "notLookedAt">;
}

function bestOf(
  candidates: readonly CandidatePlan[],
  objective: Objective,
  most: number,
  look: Look,
): BestFirst {
  const ordered = candidates.toSorted(
    (a, b) => boundFor(objective, a.bounds, "wire") - boundFor(objective, b.bounds, "wire"),
  );
  let best: FoundPlan[] = [];
  for (const [i, candidate] of ordered.entries()) {
    const worst = best.length < most ? undefined : best.at(-1);
    const toBeat = worst === undefined ? Infinity : valueFor(objective, worst.prediction);
    if (boundFor(objective, candidate.bounds, "wire") >= toBeat) {
      const rest = ordered.slice(i);
      const balance = rest.filter(
        ({ bounds }) => boundFor(objective, bounds, "balance") >= toBeat,
      ).length;
      return { best, removed: { balance, wire: rest.length - balance, notLookedAt: 0 } };
    }
    if (look.isOver()) {
      return { best, removed: { balance: 0, wire: 0, notLookedAt: ordered.length - i } };
    }
    const found = look(candidate);
    if (found === undefined || best.some((other) => areAlike(other, found))) continue;
    best = [...best, found].toSorted(byValue(objective)).slice(0, most);
  }
  return { best, removed: { balance: 0, wire: 0, notLookedAt: 0 } };
}

/** As where GPUs are only numbered otherwise, or a choice changes nothing. */
function areAlike({ prediction: a }: FoundPlan, { prediction: b }: FoundPlan): boolean {
  return objectives.every((each) => valueFor(each, a) === valueFor(each, b));
}

/** Counts the whole plan: what was predicted of its memory decides nothing. */
function createVerify(memory: number, isOver: () => boolean) {
  let notCounted = 0;
  const known = new Map<FoundPlan, FoundPlan | undefined>();
  const countedAs = (found: FoundPlan): FoundPlan | undefined => {
    if (!known.has(found)) {
      const estimate = estimatePlan(found.plan);
      const holds =
        fullestNeed(estimate.memory).total <= memory &&
        planErrors(found.plan, documentOf(found.file), estimate).length === 0;
      known.set(found, holds ? counted(found, estimate) : undefined);
    }
    return known.get(found);
  };
  return {
    /** The first that fit, with their memory as it is counted; where time is over the first one. */
    first(found: readonly FoundPlan[], most: number): FoundPlan[] {
      const fitting: FoundPlan[] = [];
      for (const [i, each] of found.entries()) {
        if (fitting.length === most) break;
        if (fitting.length > 0 && isOver()) {
          notCounted += found.length - i;
          break;
        }
        const own = countedAs(each);
        if (own !== undefined) fitting.push(own);
      }
      return fitting;
    },
    notCounted: () => notCounted,
    tooLarge: () => [...known.values()].filter((each) => each === undefined).length,
  };
}

function counted(found: FoundPlan, { memory }: PlanEstimate): FoundPlan {
  const memoryBytes = fullestNeed(memory).total;
  return { ...found, prediction: { ...found.prediction, memoryBytes } };
}

/** Undefined where rules refuse it, its batch is not divided evenly, or its ranks stand as no candidate's do. */
function givenPlan(file: PlanFile, plan: Plan, space: Space): FoundPlan | undefined {
  const { batch, microBatches } = plan.workload;
  if (batch % (microBatches * (plan.degrees?.data ?? 1)) !== 0) return undefined;
  if ((plan.degrees?.context ?? 1) > 1 || soundPlan(file).plan === undefined) return undefined;
  return counted({ file, plan, prediction: space.predict(file, plan) }, estimatePlan(plan));
}

/** All or none, so that what is compared is found in the same way. */
function simulateAll(
  found: readonly FoundPlan[],
  { peaks, overheads }: SearchOptions,
): ReadonlyMap<FoundPlan, FoundPlan> | undefined {
  const places = found.reduce((sum, { plan }) => sum + placesOf(plan), 0);
  if (places > mostPlaces) return undefined;
  return new Map(
    found.map((each) => {
      const { stepMs } = simulateHardware(
        each.plan,
        peaks,
        overheads.latencyMs,
        overheads.launchMs,
      );
      return [each, { ...each, prediction: { ...each.prediction, stepMs } }] as const;
    }),
  );
}

function placesOf({ stages }: Plan): number {
  return stages
    .flatMap(({ layers }) => layers)
    .reduce((sum, { groups }) => sum + groups.flat().length, 0);
}
