// Published plans judged without a run, and what of a judgement is an accusation.

import { inspect } from "../../src/check/check_plan.ts";
import { judgeClaims } from "../../src/claims/judge.ts";
import type { Verdict } from "../../src/claims/verdict.ts";
import type { Diagnostic } from "../../src/plan/diagnostic.ts";
import type { Plan } from "../../src/plan/plan.ts";
import type { PlanEstimate } from "../../src/program/estimate.ts";
import { readCorpus, type PublishedPlan } from "./corpus.ts";

export interface JudgedPlan extends PublishedPlan {
  /** Its figures were written down to be judged, and need not be true. */
  readonly isSeed: boolean;
  readonly estimate: PlanEstimate;
  readonly verdicts: readonly Verdict[];
  readonly diagnostics: readonly Diagnostic[];
}

export async function judgeCorpus(): Promise<readonly JudgedPlan[]> {
  return (await readCorpus()).map((published) => {
    const { name, plan, document } = published;
    const { estimate, verdicts, diagnostics } = inspect(plan, document);
    if (estimate === undefined || verdicts === undefined) {
      const why = diagnostics.filter(({ severity }) => severity === "error");
      throw new Error(`${name}: ${why.map(({ message }) => message).join("; ")}`);
    }
    const isSeed = !document.file.startsWith("test/");
    return { ...published, isSeed, estimate, verdicts, diagnostics };
  });
}

/** What is said of other claims in the plan's place, and was not said of its own: its program is the same. */
export function judgeInstead({ estimate, verdicts }: JudgedPlan, plan: Plan): readonly Verdict[] {
  const before = new Set(verdicts.map(textOf));
  return judgeClaims({ plan, estimate }).filter((verdict) => !before.has(textOf(verdict)));
}

export function textOf({ claim, judgement, reason }: Verdict): string {
  return `${claim} ${judgement}: ${reason}`;
}

/** Says that a claim cannot be. */
export function accuses({ judgement, needs }: Verdict): boolean {
  return judgement === "refuted" || needs.some(({ absurd }) => absurd !== undefined);
}

/** Says that a claim cannot be, or could not if what was assumed held. */
export function doubts(verdict: Verdict): boolean {
  return accuses(verdict) || /contradict each other|but that leans on/.test(verdict.reason);
}

export function isDecided({ judgement }: Verdict): boolean {
  return judgement === "confirmed" || judgement === "refuted";
}

export function hasNeeds({ needs }: Verdict): boolean {
  return needs.length > 0;
}
