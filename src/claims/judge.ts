// Every claim of a plan held against what is known: bounds that no run can pass, the program's own figures, and what
// was measured.

import type { Case } from "./case.ts";
import { judgeMemory } from "./judge_memory.ts";
import { judgeScaling } from "./judge_scaling.ts";
import { judgeSpeed } from "./judge_speed.ts";
import { judgeSplit } from "./judge_split.ts";
import { relationsOf } from "./relations/relations.ts";
import { claimTable, type ClaimDefinition, type ClaimKind } from "./table.ts";
import type { Verdict } from "./verdict.ts";

const judges: Readonly<
  Record<ClaimKind, (given: Case, claim: ClaimDefinition, value: number) => Verdict>
> = { speed: judgeSpeed, memory: judgeMemory, split: judgeSplit, scaling: judgeScaling };

/**
 * One verdict per claim, and one per relation between claims that both stand in the plan.
 *
 * A claim beyond what any run can reach is refuted without a run. Speed is decided by a run only where the plan's own
 * work ran, with nothing assumed, on hardware adapters that no two ranks share, by the 95 % interval of the median.
 */
export function judgeClaims(given: Case): Verdict[] {
  return claimTable.flatMap((claim) => {
    const value = given.plan.claims[claim.key];
    if (value === undefined) return [];
    const verdict = judges[claim.kind](given, claim, value);
    const relations = relationsOf(given.plan)[claim.key] ?? [];
    return [verdict, ...relations.flatMap((relation) => relation(given) ?? [])];
  });
}
