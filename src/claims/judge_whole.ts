// What a run of a scaled plan says of the full one's claims. Bounds and the split are the full plan's own, as without a
// run. Its speed is projected where every layer ran as the full plan has it: such a verdict says so, and confirms and
// refutes nothing. What a scaled run cannot tell is untestable, with the reason.

import type { Figure } from "../measure/figure.ts";
import type { Plan } from "../plan/plan.ts";
import { estimatePlan } from "../program/estimate.ts";
import { type Measurements, ratioOf } from "./case.ts";
import { judgeClaims } from "./judge.ts";
import { speedObstacles } from "./obstacles.ts";
import { type ClaimDefinition, type ClaimKey, claimTable } from "./table.ts";
import type { ProjectedWhole } from "./projected_whole.ts";
import type { Verdict } from "./verdict.ts";

export interface ScaledRun {
  readonly measurements: Pick<Measurements, "adapters" | "link" | "metrics">;
  readonly projected: ProjectedWhole;
  /** Each with what the layers that ran lack by it of the full plan's, in a phrase, if they do. */
  readonly reductions: readonly { readonly changesLayers?: string }[];
}

export function judgeWhole(full: Plan, run: ScaledRun): Verdict[] {
  return judgeClaims({ plan: full, estimate: estimatePlan(full) }).map((verdict) => {
    const claim = claimTable.find(({ key }) => key === verdict.claim);
    if (claim === undefined || verdict.judgement === "refuted") return verdict;
    if (claim.kind === "speed") return judgeProjected(full, run, claim, verdict);
    return claim.kind === "memory" ? notHeld(verdict) : verdict;
  });
}

const projectedFigure: Readonly<
  Partial<Record<ClaimKey, (projected: ProjectedWhole) => Figure | undefined>>
> = {
  latencyPerLayerMs: ({ layerMs }) => layerMs,
  samplesPerSecond: ({ samplesPerSecond }) => samplesPerSecond,
  tokensPerSecond: ({ tokensPerSecond }) => tokensPerSecond,
};

function judgeProjected(
  full: Plan,
  { measurements, projected, reductions }: ScaledRun,
  claim: ClaimDefinition,
  verdict: Verdict,
): Verdict {
  const untestable = (reason: string): Verdict => ({ ...verdict, judgement: "untestable", reason });
  const figureOf = projectedFigure[claim.key];
  if (figureOf === undefined) {
    return untestable(`a scaled run does not tell the ${claim.label} of the full plan`);
  }
  const changes = reductions.flatMap(({ changesLayers }) => changesLayers ?? []);
  if (changes.length > 0) {
    return untestable(`layers did not run as the full plan has them: ${changes.join("; ")}`);
  }
  const found = figureOf(projected);
  if (found === undefined) return untestable("the run did not time each kind of layer by itself");
  const against = `(held against: ${claim.against})`;
  const withFigure = {
    ...verdict,
    found,
    ...ratioOf(found, verdict.claimed),
    provenance: "projected",
  } as const;
  const obstacles = speedObstacles(full, measurements);
  if (obstacles.length > 0) {
    return { ...withFigure, judgement: "untestable", reason: `${obstacles.join("; ")} ${against}` };
  }
  return {
    ...withFigure,
    judgement: "projected",
    reason: `projected from a scaled run, which neither confirms nor refutes it ${against}`,
    needs: [],
  };
}

/** The estimate may refute a claim on memory; that the memory is enough, only a run that allocates it shows. */
function notHeld(verdict: Verdict): Verdict {
  if (verdict.judgement === "untestable") return verdict;
  return {
    ...verdict,
    judgement: "untestable",
    reason: `${verdict.reason}; that is estimated: the scaled run held less`,
  };
}
