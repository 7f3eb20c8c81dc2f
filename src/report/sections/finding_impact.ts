// What a finding costs, in figures of the plan.

import { definitionOf } from "../../check/definitions.ts";
import type { Impact } from "../../check/rule.ts";
import { fullestNeed } from "../../program/memory.ts";
import type { Diagnostic } from "../../plan/diagnostic.ts";
import { pipelineOf } from "../../plan/pipeline.ts";
import { bytesText } from "../../plan/quantity.ts";
import { formatNumber, formatPercent } from "../../measure/format.ts";
import type { Described } from "../../program/describe_plan.ts";

/** In a phrase; where no figure of the plan says more than the finding, what its severity means. */
export function impactOf(finding: Diagnostic, described: Described | undefined): string {
  const { severity, path } = finding;
  const impact = definitionOf(finding)?.impact;
  const figures =
    described === undefined || impact === undefined
      ? undefined
      : impacts[impact](described, finding);
  if (figures !== undefined) return figures;
  if (severity === "error") return "the check refuses the plan until it is mended";
  return path[0] === "claims"
    ? "the claim cannot be believed as it stands; the plan itself runs"
    : "the plan runs, with this left as it is";
}

type Figures = (described: Described, finding: Diagnostic) => string | undefined;

const memoryShare: Figures = ({ plan, estimate }) => {
  const capacity = plan.hardware.memoryPerGpu;
  const needed = fullestNeed(estimate.memory).total;
  if (capacity === undefined) return undefined;
  // 64 GB stays 64 GB, 16 MiB stays 16 MiB.
  const shown = (bytes: number): string =>
    bytesText(bytes, capacity % 2 ** 20 === 0 ? "binary" : "decimal");
  const share = `the plan needs on its fullest GPU ${shown(needed)} of ${shown(capacity)}`;
  return needed > capacity
    ? share
    : `${share}: what is ${formatNumber(capacity / needed)} times as large no longer fits`;
};

const impacts: Readonly<Record<Impact, Figures>> = {
  "load balance": (described) => {
    const { busiest, average } = balance(described);
    return (
      `the busiest GPU has ${formatNumber(busiest / average)} times the average FLOPs, so that by ` +
      `FLOPs alone the GPUs on average compute at most ${formatPercent(average / busiest)} of the time`
    );
  },
  "load of one replica": (described, { path }) => {
    const { plan, load } = described;
    const [, stage, , layer] = path;
    const gpu = plan.stages[Number(stage)]?.layers[Number(layer)]?.groups[0]?.[0];
    const own = load.find((each) => each.gpu === gpu);
    const most = load.reduce((a, b) => (b.flopsShare > a.flopsShare ? b : a), load[0] ?? idle);
    return own === undefined
      ? undefined
      : `GPU ${own.gpu} has ${formatPercent(own.flopsShare)} of the FLOPs against ` +
          `${formatPercent(most.flopsShare)} on GPU ${most.gpu}`;
  },
  memory: memoryShare,
  utilization: (described) => utilizationLimit(described),
};

const idle = { gpu: 0, flopsShare: 0 };

function balance({ load }: Described): { busiest: number; average: number } {
  return {
    busiest: load.reduce((most, { flopsShare }) => Math.max(most, flopsShare), 0),
    average: load.reduce((sum, { flopsShare }) => sum + flopsShare, 0) / load.length,
  };
}

/** Two limits that hold on any GPU. */
function utilizationLimit(described: Described): string {
  const { plan } = described;
  const { busiest, average } = balance(described);
  const m = plan.workload.microBatches;
  const pipeline = pipelineOf(plan);
  const p = pipeline?.pipelineRanks.length ?? 1;
  const v = pipeline?.virtualStages ?? 1;
  const bubble =
    p === 1
      ? ""
      : `the pipeline idles at least ${formatPercent((p - 1) / (m * v + p - 1))} of the time, ` +
        `(p − 1)/(${v === 1 ? "m" : "v·m"} + p − 1) with p = ${p} and m = ${m}; `;
  return (
    `${bubble}by the split of the FLOPs the GPUs compute on average at most ` +
    `${formatPercent(average / busiest)} of the time that the busiest does`
  );
}
