// What scaling a plan has to say: what was reduced, what stayed, and what a run of it will take.

import { countOf, formatBytes } from "../measure/format.ts";
import type { PlanFile } from "../plan/schema.ts";
import type { ScaledRecord } from "../result/result.ts";
import { line, note, paragraph, type Report } from "./section.ts";
import { reductionsSection, seconds } from "./sections/reductions.ts";

interface Scaling extends Pick<ScaledRecord, "reductions" | "kept"> {
  readonly file: PlanFile;
  readonly cost: { readonly totalMs: number; readonly stepMs: number; readonly hostBytes: number };
}

interface Adapter {
  readonly id: string;
  readonly memoryBytes: number;
  readonly memoryFrom: string;
  readonly peaksFrom: string;
}

/** @param output where the scaled plan went, if to a file */
export function scaleReport(
  full: PlanFile,
  { reductions, kept, file, cost }: Scaling,
  placement: readonly Adapter[],
  output: string | undefined,
): Report {
  const adapters = new Map(placement.map((each) => [each.id, each]));
  const machine = [...adapters.values()]
    .map(
      ({ id, memoryBytes, ...from }) =>
        `${id}: ${formatBytes(memoryBytes)} of memory, ${from.memoryFrom}; peaks ${from.peaksFrom}`,
    )
    .join("; ");
  return {
    sections: [
      ...(reductions.length === 0
        ? [{ blocks: [line([`${full.name} fits as it is.`])] }]
        : [reductionsSection({ reductions, kept })]),
      ...(full.stages === undefined
        ? []
        : [
            {
              blocks: [
                note(
                  "stages that are written out keep their layers and GPUs: only micro-batches and sequences go",
                ),
              ],
            },
          ]),
      {
        blocks: [
          paragraph(
            `${file.name}: ${countOf(file.hardware.gpus, "rank")}, a step of about ${seconds(cost.stepMs)}, a run of about ` +
              `${seconds(cost.totalMs)} and ${formatBytes(cost.hostBytes)} of the host's memory (estimated; ${machine})`,
          ),
          ...(output === undefined ? [] : [line([`Plan file: ${output}`])]),
        ],
      },
    ],
  };
}
