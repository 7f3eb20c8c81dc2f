// What stands above and below the figures of a run: the plan, the adapters, the check, how it ended.

import type { Plan } from "../plan/plan.ts";
import { describeLink, runConditions } from "../claims/obstacles.ts";
import { circumstanceNotes } from "./circumstance_notes.ts";
import type { Colours } from "./colour.ts";
import { countOf, formatNumber } from "../measure/format.ts";
import type { RankAdapter, RunResult } from "../result/result.ts";
import { separationSentences } from "./separation_lines.ts";
import { LINE_WIDTH, table } from "./table.ts";
import { peakLines } from "./terminal_calibration.ts";
import { wrap, wrapIndented } from "./text_width.ts";

export const planLine = ({ name, hardware, workload }: Plan): string => {
  const sequence = workload.sequence === 1 ? "" : `, sequence ${formatNumber(workload.sequence)}`;
  return (
    `${name}: ${countOf(hardware.gpus, "rank")}, ${workload.mode}, ${workload.dtype}, ` +
    `batch ${formatNumber(workload.batch)} in ${countOf(
      workload.microBatches,
      "micro-batch",
    ).replace("batchs", "batches")}${sequence}`
  );
};

export const adapterLines = ({ workload }: Plan, result: RunResult, colours: Colours): string[] => {
  const { adapters, calibration, link, metrics, notes, separation, versions } = result;
  return [
    ...table(
      [
        { title: "rank" },
        { title: "adapter", align: "left" },
        { title: "device", align: "left" },
        { title: "kind", align: "left" },
      ],
      adapters.map((adapter) => ({
        cells: [String(adapter.rank), adapter.id, adapter.name, kindOf(adapter)],
      })),
      colours,
    ),
    ...calibration.flatMap((each) => peakLines(each, workload.dtype, metrics.kernels)),
    ...(separation === undefined ? [] : separationSentences(separation)).flatMap((sentence) =>
      wrapIndented(sentence, LINE_WIDTH, 2),
    ),
    ...[
      ...notes,
      ...(link === undefined ? [] : [describeLink(link)]),
      ...circumstanceNotes(result),
    ].flatMap((note) => wrapIndented(note, LINE_WIDTH, 2).map(colours.doubtful)),
    ...wrapIndented(
      `shardbench ${versions.shardbench}, node ${versions.node}, webgpu ${versions.webgpu}, ${versions.os}`,
      LINE_WIDTH,
      2,
    ),
  ];
};

/** When and on what the figures were taken, for reports that show no table of adapters. */
export const conditionLines = (result: RunResult, colours: Colours): string[] => {
  const { date, adapters, link, runs } = result;
  const what = runs.length < 2 ? "run" : countOf(runs.length, "run");
  return [
    ...wrap(`${what} of ${date} on ${runConditions(adapters, link).join("; ")}`, LINE_WIDTH).map(
      colours.faint,
    ),
    ...circumstanceNotes(result).flatMap((note) => wrap(note, LINE_WIDTH).map(colours.doubtful)),
  ];
};

const kindOf = ({ software, sharedWith, core, keptAwake }: RankAdapter): string => {
  const kind = software ? "software" : "hardware";
  if (software && core !== undefined) {
    return keptAwake === true
      ? `${kind}, on core ${core}, awake`
      : `${kind}, on core ${core} alone`;
  }
  return sharedWith.length === 0 ? kind : `${kind}, shared with ${sharedWith.join(", ")}`;
};
