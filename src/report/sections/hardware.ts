// What the plan's GPUs are said to be able to do, and who says so.

import { assumedAmong } from "../../plan/assumed.ts";
import type { HardwareFigure, Plan } from "../../plan/plan.ts";
import { countOf, formatBytes, formatValue } from "../../measure/format.ts";
import { left, right, table, type Section } from "../section.ts";

interface HardwareRow {
  readonly what: string;
  readonly value: string;
  readonly source: string;
}

/** Empty where the plan says nothing but the number of GPUs. */
function rowsOf(plan: Plan): HardwareRow[] {
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
}

function titleOf({ hardware: { gpus, gpu } }: Plan): string {
  return `${gpu === undefined ? countOf(gpus, "GPU") : `${gpus} × ${gpu}`}, each`;
}

export function hardwareSection(plan: Plan): Section {
  const rows = rowsOf(plan);
  return {
    title: "Hardware",
    blocks:
      rows.length === 0
        ? []
        : [
            table(
              [...left(titleOf(plan)), ...right(""), ...left("said by")],
              rows.map(({ what, value, source }) => ({ cells: [what, value, source] })),
            ),
          ],
  };
}
