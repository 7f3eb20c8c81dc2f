// What a plan costs, in a few figures.

import { formatBytes, formatFlops, formatParameters, formatPercent } from "../../measure/format.ts";
import type { Described } from "../../program/describe_plan.ts";
import { fullestNeed } from "../../program/memory.ts";
import { left, right, table, type Section } from "../section.ts";

export function planCostSection({ plan, estimate }: Described): Section {
  const { parameters, modelFlops, tokens, batch, ranks, memory } = estimate;
  const needed = fullestNeed(memory).total;
  const capacity = plan.hardware.memoryPerGpu;
  const wire = ranks.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
  const rows = [
    ...(parameters.notStated === undefined
      ? [
          ["parameters", formatParameters(parameters.total)],
          ["of them active per token", formatParameters(parameters.active)],
        ]
      : [["parameters", `not stated: ${parameters.notStated}`]]),
    ["FLOPs per step", formatFlops(modelFlops)],
    [`FLOPs per ${tokens === batch ? "sample" : "token"}`, formatFlops(modelFlops / tokens)],
    ["bytes on the wire per step", formatBytes(wire)],
    [
      "memory of the fullest GPU",
      `${formatBytes(needed)}${capacity === undefined ? "" : `, ${formatPercent(needed / capacity)} of it`}`,
    ],
  ];
  return {
    title: "Cost",
    blocks: [
      table(
        [...left("figure"), ...right("estimated")],
        rows.map((cells) => ({ cells })),
      ),
    ],
  };
}
