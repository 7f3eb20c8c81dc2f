// Claims about who holds what: the plan's own split decides them.

import { assumedAmong } from "../plan/assumed.ts";
import { expertsOnGpus, moeLayers, tensorSizes } from "../plan/layers.ts";
import type { Plan } from "../plan/plan.ts";
import { variance } from "../measure/statistics.ts";
import { claimedBy, fromPlan, ratioOf, type Case } from "./case.ts";
import type { ClaimDefinition } from "./table.ts";
import type { Judgement, Need, Verdict } from "./verdict.ts";
import { number, someOf } from "./words.ts";

export function judgeSplit({ plan }: Case, claim: ClaimDefinition, value: number): Verdict {
  const paths =
    claim.key === "tensorGroupSize"
      ? ["parallel.tensor", "parallel.tensorGroup", "stages"]
      : [
          "model.moe.experts",
          "model.moe.redundantExperts",
          "parallel.expert",
          "parallel.expertTensor",
          "stages",
        ];
  const leansOn = assumedAmong(plan, paths);
  const base = {
    ...claimedBy(claim, value),
    provenance: "estimated",
    leansOn,
  } as const;
  const values = valuesOf(plan, claim);
  const worst = furthest(values, value);
  if (worst === undefined) {
    const reason =
      claim.key === "tensorGroupSize"
        ? "no layer of the plan is split over tensor ranks"
        : "the plan has no mixture of experts";
    return { ...base, judgement: "untestable", reason, needs: [] };
  }
  const found = fromPlan(worst, claim.unit);
  const agrees = Math.abs(worst - value) <= claim.tolerance * Math.max(1, value);
  const shown = [...new Set(values)].map(number);
  const gives = `the plan's split gives ${shown.length > 8 ? `${shown.slice(0, 8).join(", ")}, …` : shown.join(", ")}`;
  const redundant = agrees ? undefined : redundantFor(plan, claim, value);
  const judged: { judgement: Judgement; reason: string; needs: readonly Need[] } =
    redundant !== undefined
      ? {
          judgement: "untestable",
          reason: `${gives}, without redundant experts`,
          needs: [redundant],
        }
      : leansOn.length > 0
        ? {
            judgement: "untestable",
            reason: `${gives}, which leans on the assumed ${someOf(leansOn)}`,
            needs: [needOf(plan, claim, value)],
          }
        : { judgement: agrees ? "confirmed" : "refuted", reason: gives, needs: [] };
  return { ...base, found, ...ratioOf(found, base.claimed), ...judged };
}

function valuesOf(plan: Plan, { key }: ClaimDefinition): number[] {
  if (key === "tensorGroupSize") return tensorGroupSizes(plan);
  const counts = moeLayers(plan).map((layer) => [...expertsOnGpus(layer).values()]);
  return key === "expertVariance" ? counts.map(variance) : [...new Set(counts.flat())];
}

/** Serving engines place copies of experts; a plan that does not say how many may have as many as the claim needs. */
function redundantFor(plan: Plan, { key }: ClaimDefinition, value: number): Need | undefined {
  const [layer] = moeLayers(plan);
  if (key !== "expertsPerGpu" || layer === undefined) return undefined;
  if (plan.workload.mode === "training" || plan.model?.moe?.redundantExperts !== undefined) {
    return undefined;
  }
  const members = layer.expertGroups[0]?.length ?? 1;
  const copies = value * members - layer.experts;
  if (plan.degrees === undefined || members === 1 || !Number.isInteger(copies) || copies <= 0) {
    return undefined;
  }
  return {
    what: "model.moe.redundantExperts",
    relation: "exactly",
    value: copies,
    unit: "experts",
    because: `${number(value)} × ${members} expert ranks − ${layer.experts} experts`,
    ...(copies > layer.experts ? { absurd: "more copies than experts" } : {}),
  };
}

function needOf(plan: Plan, { key }: ClaimDefinition, value: number): Need {
  const [layer] = moeLayers(plan);
  const members = layer?.expertGroups[0]?.length ?? 1;
  if (key === "tensorGroupSize") {
    return {
      what: "parallel.tensor",
      relation: "exactly",
      value,
      unit: "GPUs",
      because: "the claim",
    };
  }
  if (key === "expertsPerGpu") {
    return {
      what: "model.moe.experts",
      relation: "exactly",
      value: value * members,
      unit: "experts",
      because: `${number(value)} × ${members} expert ranks`,
    };
  }
  return {
    what: "experts left over by the expert ranks",
    relation: value === 0 ? "exactly" : "at least",
    value: value === 0 ? 0 : 1,
    unit: "experts",
    because: "equal numbers have no variance",
  };
}

function tensorGroupSizes({ stages }: Plan): number[] {
  return stages.flatMap(({ layers }) => layers).flatMap(tensorSizes);
}

/** The value that speaks most against the claim; undefined for none. */
function furthest(values: readonly number[], claim: number): number | undefined {
  let worst: number | undefined;
  for (const value of values) {
    if (worst === undefined || Math.abs(value - claim) > Math.abs(worst - claim)) worst = value;
  }
  return worst;
}
