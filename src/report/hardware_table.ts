// What the plan's GPUs are said to be able to do, and who says so: one list for the terminal and for reports.

import { assumedAmong } from "../plan/assumed.ts";
import type { HardwareFigure, Plan } from "../plan/plan.ts";
import { plain, type Colours } from "./colour.ts";
import { countOf, formatBytes, formatValue } from "../measure/format.ts";
import { table } from "./table.ts";

interface HardwareRow {
  readonly what: string;
  readonly value: string;
  readonly source: string;
}

/** Empty where the plan says nothing but the number of GPUs. */
const rowsOf = (plan: Plan): HardwareRow[] => {
  const { hardware, workload } = plan;
  const row = (
    key: HardwareFigure,
    what: string,
    format: (value: number) => string,
  ): HardwareRow[] => {
    const value = hardware[key];
    if (value === undefined) return [];
    const assumed = assumedAmong(plan, [`hardware.${key}`]).length > 0 ? ", assumed" : "";
    return [
      { what, value: format(value), source: `${hardware.sources?.[key] ?? "plan"}${assumed}` },
    ];
  };
  const perSecond = (value: number): string => formatValue(value, "B/s");
  return [
    ...row("memoryPerGpu", "memory", formatBytes),
    ...row("peakFlops", `peak of ${workload.dtype}`, (value) => formatValue(value, "FLOP/s")),
    ...row("memoryBandwidth", "memory bandwidth", perSecond),
    ...row("linkBandwidth", "link, one direction", perSecond),
  ];
};

const titleOf = ({ hardware: { gpus, gpu } }: Plan): string =>
  `${gpu === undefined ? countOf(gpus, "GPU") : `${gpus} × ${gpu}`}, each`;

export const hardwareLines = (plan: Plan, colours: Colours = plain): string[] => {
  const rows = rowsOf(plan);
  if (rows.length === 0) return [];
  return [
    colours.strong("Hardware"),
    ...table(
      [{ title: titleOf(plan), align: "left" }, { title: "" }, { title: "said by", align: "left" }],
      rows.map(({ what, value, source }) => ({ cells: [what, value, source] })),
      colours,
    ),
    "",
  ];
};

export const hardwareMarkdown = (plan: Plan): string[] => {
  const rows = rowsOf(plan);
  if (rows.length === 0) return [];
  return [
    "### Hardware",
    "",
    `| ${titleOf(plan)} | | said by |`,
    "|---|---:|---|",
    ...rows.map(({ what, value, source }) => `| ${what} | ${value} | ${source} |`),
    "",
  ];
};
