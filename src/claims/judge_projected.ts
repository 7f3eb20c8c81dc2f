// What a projected step says of a plan's claims on speed. It confirms and refutes nothing: that takes a run.

import type { Figure } from "../measure/figure.ts";
import type { Plan } from "../plan/plan.ts";
import { claimedBy, ratioOf } from "./case.ts";
import { type ClaimKey, claimTable } from "./table.ts";
import type { Verdict } from "./verdict.ts";

/** By claim, with the range that a run is expected in. */
export type ProjectedClaims = Readonly<
  Partial<Record<ClaimKey, Figure & { readonly range: readonly [low: number, high: number] }>>
>;

/** One verdict for each claim that the figures are about. */
export function judgeProjectedClaims(plan: Plan, figures: ProjectedClaims): Verdict[] {
  return claimTable.flatMap((claim): Verdict[] => {
    const value = plan.claims[claim.key];
    const found = figures[claim.key];
    if (value === undefined || found === undefined) return [];
    const own = claimedBy(claim, value);
    return [
      {
        ...own,
        found,
        ...ratioOf(found, own.claimed),
        judgement: "projected",
        provenance: "projected",
        reason: `${whereOf(found.range, value)}, which neither confirms nor refutes it`,
        leansOn: plan.assumed,
        needs: [],
      },
    ];
  });
}

function whereOf([low, high]: readonly [number, number], value: number): string {
  if (value > high) return "the projected range ends below what is claimed";
  return value < low
    ? "the projected range begins above what is claimed"
    : "the projected range holds what is claimed";
}
