// Is the work spread evenly over the GPUs?

import { assumedAmong } from "../../plan/assumed.ts";
import { formatNumber, formatPercent } from "../../measure/format.ts";
import type { Described } from "../../program/describe_plan.ts";
import type { Assess } from "./aspect.ts";

/** The busiest GPU of an even load has at most so many times the mean FLOPs. */
const evenRatio = 1.1;

/** More shares than a line takes are told by the extremes. */
const mostShares = 8;

export const loadBalance: Assess = ({ described }) => {
  const { plan, load } = described;
  const ratio = busiestOverMean(described);
  if (load.length < 2 || ratio === undefined) return [];
  const isEven = ratio <= evenRatio;
  // Serving needs the logits of one position: the GPUs of the head may have less to do than is counted.
  const isHeadOpen =
    !isEven &&
    plan.workload.mode !== "training" &&
    plan.model?.vocabulary !== undefined &&
    (plan.degrees?.pipeline ?? 1) > 1;
  return [
    {
      title: "Load Balance",
      judgement: isHeadOpen ? "not decidable" : isEven ? "held" : "contradicted",
      why: `${sharesOf(load)}, ${formatNumber(ratio)} × the mean on the busiest; even is up to ${evenRatio} ×${isHeadOpen ? "; logits of all positions are counted, of which one may be enough" : ""}`,
      leansOn: assumedAmong(plan, ["model", "stages", "parallel"]),
      codes: [],
    },
  ];
};

function sharesOf(load: Described["load"]): string {
  const byShare = load.toSorted((a, b) => a.flopsShare - b.flopsShare);
  const shares = load.map(({ flopsShare }) => formatPercent(flopsShare));
  if (new Set(shares).size === 1)
    return `each of ${load.length} GPUs has ${shares[0]} of the FLOPs`;
  const [least, most] = [byShare[0], byShare.at(-1)];
  return least === undefined || most === undefined || load.length <= mostShares
    ? `GPUs 0–${load.length - 1} have ${shares.join(", ")} of the FLOPs`
    : `GPUs have ${formatPercent(least.flopsShare)} (GPU ${least.gpu}) to ${formatPercent(most.flopsShare)} (GPU ${most.gpu}) of the FLOPs`;
}

/** FLOPs of the busiest GPU over their mean; undefined where nothing is computed. */
export function busiestOverMean({ load }: Pick<Described, "load">): number | undefined {
  const busiest = load.reduce((most, { flopsShare }) => Math.max(most, flopsShare), 0);
  return busiest === 0 ? undefined : busiest * load.length;
}
