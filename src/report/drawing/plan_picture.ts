// Who does what, as a picture.

import { groupBy } from "../../group_by.ts";
import { formatPercent } from "../../measure/format.ts";
import type { StageDescription } from "../../program/describe.ts";
import type { Described } from "../../program/describe_plan.ts";
import type { GpuLoad } from "../../program/load_per_gpu.ts";
import { mostColumns, picture, type PictureColumn } from "./picture.ts";
import { stageList } from "./stage_list.ts";

/** Side by side where there is room; else stage after stage. */
export function planPicture({ stages, load }: Described): string[] {
  const columns = columnsOf(stages, load);
  return columns === undefined ? stageList(stages, load) : picture(stages, columns);
}

/** A column per GPU, or per kind of GPU; undefined where even those are too many. */
function columnsOf(
  stages: readonly StageDescription[],
  load: readonly GpuLoad[],
): PictureColumn[] | undefined {
  const column = (gpus: readonly GpuLoad[]): PictureColumn => {
    const [first] = gpus;
    const labels = [...new Set(gpus.map(({ label }) => label))];
    const share = formatPercent(gpus.reduce((sum, { flopsShare }) => sum + flopsShare, 0));
    return {
      gpus: gpus.map(({ gpu }) => gpu),
      load: first === undefined ? "" : `${labels.join("/")} ${share}`,
    };
  };
  if (load.length <= mostColumns) return load.map((each) => column([each]));
  const stepsOf = new Map<number, string>();
  for (const [s, { blocks }] of stages.entries()) {
    for (const [i, step] of blocks.flatMap(({ steps }) => steps).entries()) {
      for (const gpu of new Set(step.shards.map((shard) => shard.gpu))) {
        stepsOf.set(gpu, `${stepsOf.get(gpu) ?? ""} ${s}.${i}`);
      }
    }
  }
  const kinds = groupBy(load, ({ gpu }) => stepsOf.get(gpu) ?? "");
  return kinds.size > mostColumns ? undefined : [...kinds.values()].map(column);
}
