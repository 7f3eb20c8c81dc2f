// Stages, communications, load and cost of a plan, as an analysis tells them.

import type { DescribedStep } from "../../program/describe.ts";
import { loadRule, outdoneByFlops } from "../../program/load_per_gpu.ts";
import { countOf, formatBytes, formatPercent } from "../../measure/format.ts";
import { paragraph, verbatim, type Section, type Text, type Verbatim } from "../section.ts";
import { hardwareSection } from "./hardware.ts";
import { planCostSection } from "./plan_cost.ts";
import { listOf, rangeOf, rangesOf, runsOfRanks } from "../../program/runs_of_ranks.ts";
import { planPicture } from "../drawing/plan_picture.ts";
import type { Described } from "../../program/describe_plan.ts";

const mostLines = 24;

export function layoutSections(described: Described): Section[] {
  return [
    hardwareSection(described.plan),
    { title: "Stage Configuration", blocks: [shortened(stageText(described))] },
    { title: "Communication Flow", blocks: [shortened(flowText(described))] },
    {
      title: "Load Distribution",
      blocks: [
        shortened([...loadText(described), ...idleText(described)]),
        ...loadDefinition(described),
      ],
    },
    { title: "Picture", blocks: [verbatim(planPicture(described))] },
    planCostSection(described),
  ];
}

function shortened(lines: readonly string[]): Verbatim {
  const more = lines.length - mostLines;
  return verbatim([...lines.slice(0, mostLines), ...(more > 0 ? [`… and ${more} more`] : [])]);
}

function stageText({ stages }: Described): string[] {
  return stages.flatMap(({ name, gpus, blocks }) => [
    `${name} (${gpus.length === 1 ? "GPU" : "GPUs"} ${rangesOf(gpus)}):`,
    ...blocks.flatMap(({ times, steps }) =>
      steps.map(
        (step) =>
          `- ${times === 1 ? "" : `${times} × `}${step.title} ${step.detail}, ${splitOf(step)}`,
      ),
    ),
  ]);
}

function splitOf({ shards }: DescribedStep): string {
  const gpus = [...new Set(shards.map(({ gpu }) => gpu))];
  const whole = shards[0]?.whole ?? "";
  return `${whole === "whole" ? "whole" : whole.replace(" /", " split by ")} on ${gpus.length === 1 ? "GPU" : "GPUs"} ${rangesOf(gpus)}`;
}

function flowText({ estimate }: Described): string[] {
  const { collectives } = estimate;
  if (collectives.length === 0) return ["nothing is communicated"];
  return collectives.map(({ op, name, layer, groups, instances, calls, wireBytes }) => {
    const [group] = groups;
    const alike = instances === 1 ? "" : ` and ${countOf(instances - 1, "group")} alike`;
    return (
      `${name ?? layer}: ${op} from ${listOf(group?.from ?? [])} to ${listOf(group?.to ?? [])}${alike}, ` +
      `${countOf(calls, "call")} and ${formatBytes(wireBytes)} per step`
    );
  });
}

/** GPUs of a stage that have no part in one of its steps. */
function idleText({ stages }: Described): string[] {
  return stages.flatMap(({ name, gpus, blocks }) => {
    const idle = new Map<string, string[]>();
    for (const { title, shards } of blocks.flatMap(({ steps }) => steps)) {
      const busy = new Set(shards.map(({ gpu }) => gpu));
      const others = gpus.filter((gpu) => !busy.has(gpu));
      if (others.length === 0) continue;
      const key = rangesOf(others.toSorted((a, b) => a - b));
      idle.set(key, [...new Set([...(idle.get(key) ?? []), title])]);
    }
    return [...idle].map(
      ([who, titles]) => `GPU ${who}: idle during ${titles.join(", ")} of ${name}`,
    );
  });
}

function loadText({ load }: Described): string[] {
  const seen = ({ label, flopsShare, layers }: Described["load"][number]): string =>
    `${layers.length <= 3 ? layers.join(" + ") : countOf(layers.length, "layer")} ` +
    `(${label.charAt(0).toUpperCase()}${label.slice(1)}, ${formatPercent(flopsShare)} of the FLOPs)`;
  return runsOfRanks(
    load.map((each) => ({ ...each, rank: each.gpu })),
    seen,
  ).map((run) => `GPU ${rangeOf(run)}: ${seen(run.item)}`);
}

/** What the labels mean, where there is something to tell apart. */
function loadDefinition({ load }: Described): Text[] {
  if (load.length < 2) return [];
  const outdone = outdoneByFlops(load);
  const more =
    outdone === undefined
      ? ""
      : ` By FLOPs alone GPU ${outdone.gpu}, of light load, does more than a GPU of medium load.`;
  return [paragraph(`What the labels mean: ${loadRule}.${more}`)];
}
