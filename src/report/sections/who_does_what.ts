// Stages, shards and communications over GPUs, as a table; of more GPUs than fit beside each other as a picture.

import { formatBytes } from "../../measure/format.ts";
import type { StageDescription } from "../../program/describe.ts";
import type { Described } from "../../program/describe_plan.ts";
import type { CollectiveEstimate } from "../../program/estimate.ts";
import { listOf } from "../../program/runs_of_ranks.ts";
import { planPicture } from "../drawing/plan_picture.ts";
import { faint, left, note, table, verbatim, type Row, type Section } from "../section.ts";

const mostColumns = 16;

export function whoDoesWhatSection(described: Described): Section {
  const { load, stages } = described;
  const title = "Who does what";
  if (load.length > mostColumns) return { title, blocks: [verbatim(planPicture(described))] };
  const gpus = load.map(({ gpu }) => gpu);
  return {
    title,
    blocks: [
      table(
        left("stage", "step", ...gpus.map((gpu) => `GPU ${gpu}`)),
        stages.flatMap((stage) => stageRows(stage, gpus)),
      ),
      note("s: sends, r: receives; bytes that arrive at other GPUs in one step"),
    ],
  };
}

function stageRows({ name, blocks, leaving }: StageDescription, gpus: readonly number[]): Row[] {
  const rows = blocks.flatMap(({ times, steps }) =>
    steps.flatMap(({ title, detail, shards, flows }) => [
      {
        cells: [
          `${times === 1 ? "" : `${times} × `}${title} ${detail}`,
          ...gpus.map((gpu) =>
            shards.flatMap((shard) => (shard.gpu === gpu ? [shard.text] : [])).join("; "),
          ),
        ],
      },
      ...flows.map((flow) => flowRow(flow, gpus)),
    ]),
  );
  return [...rows, ...leaving.map((flow) => flowRow(flow, gpus))].map(({ cells }, i) => ({
    cells: [i === 0 ? { text: name, tone: "strong" as const } : "", ...cells],
  }));
}

function flowRow({ op, name, groups, wireBytes }: CollectiveEstimate, gpus: readonly number[]) {
  const where = groups
    .slice(0, 2)
    .map(({ from, to }) => `${listOf(from)} → ${listOf(to)}`)
    .join("; ");
  return {
    cells: [
      faint(`↳ ${op}${name === undefined ? "" : ` ${name}`}, ${where}, ${formatBytes(wireBytes)}`),
      ...gpus.map((gpu) => {
        const sends = groups.some(({ from }) => from.includes(gpu));
        const receives = groups.some(({ to }) => to.includes(gpu));
        return faint(
          [sends ? "s" : "", receives ? "r" : ""].filter((part) => part !== "").join(" "),
        );
      }),
    ],
  };
}
