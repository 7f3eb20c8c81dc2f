// A look at a candidate: whether rules of the check refuse it, and by which, and what it is predicted to take.

import { planErrors } from "../check/check_plan.ts";
import { normalise } from "../plan/normalise.ts";
import type { Plan } from "../plan/plan.ts";
import type { PlanFile } from "../plan/schema.ts";
import type { CandidatePlan, FoundPlan, Space } from "./candidate.ts";

export interface Refusals {
  /** By the check's rules. */
  readonly refused: number;
  /** How many of them by which rule, each by the first that it breaks; the most first. */
  readonly refusedBy: readonly RefusedBy[];
}

interface RefusedBy {
  /** Of the diagnostic, as docs/diagnostics.md explains it. */
  readonly code: string;
  readonly count: number;
}

/** Beyond this part of the memory, a prediction is not worth counting. */
const farTooLarge = 1.25;
export interface Look {
  (candidate: CandidatePlan): FoundPlan | undefined;
  isOver(): boolean;
  counts(): Refusals & { readonly tooLarge: number };
  predicted(): number;
}

/** At a candidate: whether rules refuse it, and what it is predicted to take. Once each. */
export function createLook(space: Space, memory: number, isOver: () => boolean): Look {
  const known = new Map<CandidatePlan, FoundPlan | undefined>();
  const refusals = new Map<string, number>();
  let tooLarge = 0;
  let predicted = 0;
  const lookAt = ({ file }: CandidatePlan): FoundPlan | undefined => {
    const { plan, refusedBy } = soundPlan(file);
    if (plan === undefined) {
      refusals.set(refusedBy, (refusals.get(refusedBy) ?? 0) + 1);
      return undefined;
    }
    predicted += 1;
    const prediction = space.predict(file, plan);
    if (prediction.memoryBytes <= farTooLarge * memory) return { file, plan, prediction };
    tooLarge += 1;
    return undefined;
  };
  const look = (candidate: CandidatePlan): FoundPlan | undefined => {
    if (!known.has(candidate)) known.set(candidate, lookAt(candidate));
    return known.get(candidate);
  };
  return Object.assign(look, {
    isOver,
    counts: () => {
      const refusedBy = [...refusals].map(([code, count]) => ({ code, count }));
      const refused = refusedBy.reduce((sum, { count }) => sum + count, 0);
      return { refused, refusedBy: refusedBy.toSorted((a, b) => b.count - a.count), tooLarge };
    },
    predicted: () => predicted,
  });
}

type Sound =
  | { readonly plan: Plan; readonly refusedBy?: undefined }
  | { readonly plan?: undefined; readonly refusedBy: string };

/** Without a plan where rules refuse it; memory is not asked for yet. */
export function soundPlan(file: PlanFile): Sound {
  const { plan, diagnostics } = normalise(file);
  const error = diagnostics.find(({ severity }) => severity === "error");
  if (error !== undefined) return { refusedBy: error.code };
  if (plan === undefined) return { refusedBy: "plan-without-meaning" };
  const { memoryPerGpu: _, ...hardware } = plan.hardware;
  const [broken] = planErrors({ ...plan, hardware }, documentOf(file));
  return broken === undefined ? { plan } : { refusedBy: broken.code };
}

export function documentOf(file: PlanFile) {
  return { file: file.name, text: "", format: "json", value: file, written: file } as const;
}
